import type { Arrived } from '../support/arrived.js';
import { procedureOf } from '../support/arrived.js';
import { envdToken } from '../support/secrets.js';
import { isEnded, type LawfulSession } from '../support/session.js';
import { addresses, portHost, sandboxOf, type World } from '../support/world.js';
import type { Asked } from './judge-arrival.js';
import { judgeCall } from './judge-call.js';
import { judgePath } from './judge-path.js';

const rpcHeaders = [
  'content-type',
  'connect-protocol-version',
  'connect-timeout-ms',
  'keepalive-ping-interval',
];
const downloadHeaders = ['range', 'if-range', 'if-none-match', 'if-modified-since'];
const alwaysHeaders = [
  'accept-encoding',
  'authorization',
  'e2b-sandbox-id',
  'e2b-sandbox-port',
  'traceparent',
  'tracestate',
  'x-access-token',
];

/** What of envd a page may reach. */
export function judgeEnvd(world: World, arrived: Arrived, asked: Asked): void {
  const { who } = asked;
  if (!who) throw new Error('nobody may');
  if (isEnded(who)) throw new Error('the session was ended');
  const { url, method, headers } = arrived;
  const isPlace = world.place === 'address' ? url.origin === addresses.envd : portHost.test(url.origin);
  if (!isPlace) throw new Error('another host');
  if (sandboxOf(arrived) !== who.sandboxId) throw new Error('another sandbox');
  if (url.username || url.password || url.hash) throw new Error('more than an address');
  judgeCredential(headers, who);
  const procedure = procedureOf(arrived);
  if (procedure) {
    requireHeaders(headers, rpcHeaders);
    if (method !== 'POST' || url.search !== '') throw new Error('not a call as it has to be');
    judgeTimes(headers);
    judgeCall(world, arrived, procedure, who, asked);
  } else if (who.grant.strict && url.pathname === '/files') throw new Error('envd would do it as root');
  else if (url.pathname === '/files') judgeFile(arrived, who);
  else if (url.pathname === '/health' && method === 'GET' && url.search === '') requireHeaders(headers, []);
  else throw new Error('not for a page');
}

function judgeCredential(
  headers: ReadonlyMap<string, string>,
  { sandboxId, grant: { user } }: LawfulSession,
): void {
  if (headers.get('x-access-token') !== envdToken(sandboxId)) throw new Error("not envd's token");
  if (headers.get('e2b-sandbox-id') !== sandboxId) throw new Error('routed to another sandbox');
  if (headers.get('e2b-sandbox-port') !== '49983') throw new Error('routed to another port');
  const pinned = user === undefined ? undefined : `Basic ${btoa(`${user}:`)}`;
  if (headers.get('authorization') !== pinned) throw new Error('not as the pinned user');
  if (headers.get('accept-encoding') !== 'identity') throw new Error('it may come compressed');
  const trace = headers.get('traceparent');
  if (trace !== undefined && !/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(trace))
    throw new Error('traceparent');
}

function requireHeaders(headers: ReadonlyMap<string, string>, allowed: readonly string[]): void {
  const stray = [...headers.keys()].find((name) => !allowed.includes(name) && !alwaysHeaders.includes(name));
  if (stray !== undefined) throw new Error(`the header ${stray}`);
}

/** Values that envd cannot bear. */
function judgeTimes(headers: ReadonlyMap<string, string>): void {
  const [timeout, interval] = [headers.get('connect-timeout-ms'), headers.get('keepalive-ping-interval')];
  if (timeout !== undefined && !/^[1-9]\d{0,9}$/.test(timeout)) throw new Error(`timeout ${timeout}`);
  if (interval !== undefined && !(Number(interval) > 0)) throw new Error(`interval ${interval}`);
}

function judgeFile(arrived: Arrived, who: LawfulSession): void {
  const { method, url, headers } = arrived;
  const { user } = who.grant;
  const path = url.searchParams.get('path') ?? '';
  const query = new URLSearchParams({ path, ...(user !== undefined && { username: user }) });
  if (url.search !== `?${query}`) throw new Error('not the query that it has to be');
  if (method === 'GET') {
    requireHeaders(headers, downloadHeaders);
    judgePath(who, 'read', path, true);
  } else if (method === 'POST') {
    const metadata = [...headers.keys()].filter((name) => name.startsWith('x-metadata-'));
    requireHeaders(headers, ['content-type', ...metadata]);
    const type = headers.get('content-type') ?? '';
    if (!/^(multipart\/form-data|application\/octet-stream)\s*(;|$)/i.test(type))
      throw new Error('content type');
    judgePath(who, 'write', path, true);
  } else throw new Error('not for a page');
}
