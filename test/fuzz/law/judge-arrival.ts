/** Whether a request may arrive upstream, by the specification alone: nothing here is taken from the broker. */

import type { Arrived } from '../support/arrived.js';
import { strayMarker } from '../support/markers.js';
import { apiKey, secretIn } from '../support/secrets.js';
import type { LawfulSession } from '../support/session.js';
import { envdPort, isControl, portOf, type World } from '../support/world.js';
import { judgeControl } from './judge-control.js';
import { judgeEnvd } from './judge-envd.js';
import { type Entry, judgePreview, type PreviewPlace } from './judge-preview.js';

/** What a page sent, and who it is allowed to be. */
export interface Asked {
  method: string;
  /** Below where the broker is mounted, without the query. */
  path: string;
  /** Whose token it came with, if that was good. */
  who: LawfulSession | undefined;
  /** What the application answers to a request for a session. */
  authorized: { subject: string; sandboxId?: string; keepAlive: boolean } | undefined;
  headers: Headers;
  /** The preview that the address names, if it is one's. */
  place?: PreviewPlace | undefined;
  /** What the cookie stands for that it came with. */
  entry?: Entry | undefined;
  /** With an invitation: to a sandbox as it is. */
  isJoin?: boolean;
  /** The text of the token that it came with. */
  token: string;
  idempotencyKey: string | null;
}

/** What is wrong with it; undefined where it is lawful. */
export function judgeArrival(world: World, arrived: Arrived, asked: Asked): string | undefined {
  const what = `${arrived.method} ${arrived.url.href}`;
  try {
    judgeCredentials(arrived, asked);
    if (isControl(arrived)) judgeControl(world, arrived, asked);
    else if (portOf(arrived) !== envdPort) judgePreview(world, arrived, asked);
    else judgeEnvd(world, arrived, asked);
    return undefined;
  } catch (error) {
    return `${what}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function judgeCredentials(arrived: Arrived, { token }: Asked): void {
  const head = [arrived.url.href, ...[...arrived.headers].flat()].join('\n');
  const whole = head + new TextDecoder('latin1').decode(arrived.body);
  if (token.length > 20 && whole.includes(token)) throw new Error("the page's token arrived");
  const isApps = !isControl(arrived) && portOf(arrived) !== envdPort;
  if (!isApps && head.includes(strayMarker)) throw new Error('a header of the page arrived');
  if (arrived.redirect === 'follow') throw new Error('a redirect would be followed');
  const key = arrived.headers.get('x-api-key');
  if (isControl(arrived) ? key !== apiKey : head.includes(apiKey))
    throw new Error('the API key is not where it belongs');
  if (secretIn(arrived.url.href)) throw new Error('a secret is in the address');
}
