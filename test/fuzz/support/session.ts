/** A session as the law knows it: what the application allowed, whatever the broker thinks. */

import type { Grant, LifecycleGrant } from '../../../src/wire/session.js';

export interface LawfulSession {
  token: string;
  sessionId: string;
  subject: string;
  /** Whose processes it has. */
  owner: string;
  /** The session that it came from by an invitation, and ends with. */
  invitedBy?: LawfulSession;
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

export function isEnded({ ended, invitedBy }: LawfulSession): boolean {
  return ended || invitedBy?.ended === true;
}

export function allowsLifecycle({ grant }: LawfulSession, ...any: LifecycleGrant[]): boolean {
  return any.some((one) => grant.lifecycle?.includes(one));
}
