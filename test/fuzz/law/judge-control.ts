import type { LifecycleGrant } from '../../../src/wire/session.js';
import type { Arrived } from '../support/arrived.js';
import { allowsLifecycle, isEnded } from '../support/session.js';
import type { World } from '../support/world.js';
import type { Asked } from './judge-arrival.js';

/** How long a sandbox lives on where the application says nothing. */
const defaultSeconds = 300;

/** What a broker may ask of the control plane on a page's behalf. */
export function judgeControl(world: World, { method, url, headers, body }: Arrived, asked: Asked): void {
  const [, id, action] =
    /^\/(?:v2\/)?sandboxes(?:\/([a-z0-9]{1,64}))?(?:\/([a-z]+))?$/.exec(url.pathname) ?? [];
  if (headers.has('cookie') || headers.has('authorization')) throw new Error('a header of the page');
  const { authorized, place } = asked;
  // Who comes to a preview may come by a cookie alone.
  const who = place ? (asked.who ?? asked.entry?.who) : asked.who;
  const isSession = asked.method === 'POST' && asked.path === '/sessions';
  const isRefresh = asked.method === 'POST' && asked.path === '/sessions/refresh';
  if (isSession || isRefresh ? !authorized : !who || isEnded(who)) throw new Error('nobody may');
  if (id === undefined) {
    if (!isSession || authorized?.sandboxId !== undefined)
      throw new Error('no sandbox is to be made or looked for');
    if (url.pathname !== '/v2/sandboxes') throw new Error('not a call that a broker makes');
    return;
  }
  if (isSession) {
    // Whoever is invited comes to the sandbox as it is.
    if (asked.isJoin && (method !== 'GET' || action))
      throw new Error('a guest wakes it, or puts off its end');
    const isNamed =
      asked.isJoin || authorized?.sandboxId === id || world.sandboxes.get(id) === authorized?.subject;
    // Whose it is can only be told after asking.
    if (!isNamed && !(method === 'GET' && !action && authorized?.sandboxId === undefined))
      throw new Error("another's sandbox");
  } else if (id !== who?.sandboxId) throw new Error('another sandbox');
  const call = `${method} ${action ?? ''}`;
  if (place && call === 'POST connect') judgePreviewsConnect(world, id, timeoutOf(body));
  else if (!isGranted(call, { ...asked, who }, isSession)) throw new Error(`${call}: not granted`);
  const isLong = call === 'POST connect' && !isSession && timeoutOf(body) > defaultSeconds;
  if (isLong && who && !allowsLifecycle(who, 'extend')) throw new Error('its end is put off by a resume');
}

/** What opens private ports is told to who connects: to a sandbox that runs, and for no longer than it would. */
function judgePreviewsConnect({ wasPaused }: World, id: string, seconds: number): void {
  if (wasPaused.has(id) || seconds > 1) throw new Error('a preview wakes it, or puts off its end');
}

function timeoutOf(body: Uint8Array): number {
  const { timeout = 0 } = JSON.parse(new TextDecoder().decode(body) || '{}') as { timeout?: number };
  return timeout;
}

/** Whether a call to the control plane is granted; undefined for one that a broker never makes. */
function isGranted(
  call: string,
  { who, authorized, method, path }: Asked,
  isSession: boolean,
): boolean | undefined {
  const may = (...any: LifecycleGrant[]): boolean => who !== undefined && allowsLifecycle(who, ...any);
  switch (call) {
    // Where a sandbox is and what opens it has to be known for every call.
    case 'GET ':
      return true;
    case 'POST connect':
    case 'POST resume':
      return isSession || (path.endsWith('/resume') && may('pause'));
    case 'POST refreshes':
      return who?.keepAlive || authorized?.keepAlive || may('extend');
    case 'POST timeout':
      return path.endsWith('/extend') && may('extend');
    case 'POST pause':
      return path.endsWith('/pause') && may('pause');
    case 'GET metrics':
      return path.endsWith('/metrics') && may('info');
    case 'DELETE ':
      return method === 'DELETE' ? who?.endWithSession : path.endsWith('/kill') && may('kill');
    default:
      return undefined;
  }
}
