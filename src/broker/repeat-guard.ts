/**
 * A browser sends a request again whose connection died. What must not be done twice is named by the page, and a name is
 * taken once.
 */

import { SandboxError } from '../errors.js';
import { type BoundedCache, createBoundedCache } from './bounded-cache.js';
import { invalidRequest } from './refusals.js';

/** Takes the name of a request. @throws 409 `duplicate_request` where its session has used it before. */
export type RepeatGuard = (request: Request, sessionId: string) => void;

/** It is sent again within seconds. */
const rememberMs = 600_000;
/** Of one session, so that none can make another's be forgotten. */
const maxNames = 2_000;
const maxSessions = 10_000;

export function createRepeatGuard(): RepeatGuard {
  const sessions = createBoundedCache<BoundedCache<true>>(rememberMs, maxSessions);
  return ({ headers }, sessionId) => {
    const name = headers.get('idempotency-key');
    if (name === null) return;
    if (!/^[\w-]{1,64}$/.test(name)) throw invalidRequest('The Idempotency-Key is not a short name.');
    const names = sessions.get(sessionId) ?? createBoundedCache<true>(rememberMs, maxNames);
    // Anew at each name: those that were silent for longest are forgotten first.
    sessions.set(sessionId, names);
    if (names.get(name)) {
      throw new SandboxError('This request came before and was taken.', {
        code: 'duplicate_request',
        statusCode: 409,
      });
    }
    names.set(name, true);
  };
}
