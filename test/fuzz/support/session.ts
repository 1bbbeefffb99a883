/** A session as the law knows it: what the application allowed, whatever the broker thinks. */

import type { Grant, LifecycleGrant } from '../../../src/wire/session.js';

export interface LawfulSession {
  token: string;
  sessionId: string;
  subject: string;
  sandboxId: string;
  grant: Grant;
  /** Whether a page keeps the sandbox alive. */
  keepAlive: boolean;
  /** Whether the sandbox is killed along with the session. */
  endWithSession: boolean;
  /** It was ended, and its broker remembers. */
  ended: boolean;
  /** The keys of requests that were taken and are not to be taken twice. */
  taken: Set<string>;
}

export function allowsLifecycle({ grant }: LawfulSession, ...any: LifecycleGrant[]): boolean {
  return any.some((one) => grant.lifecycle?.includes(one));
}
