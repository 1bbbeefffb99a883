/** What is read out of a token that was found good: a token of another release may hold what this one does not know. */

import { type FullGrant, parseGrant } from './grant.js';
import { unauthenticated } from './refusals.js';
import type { RevocableSession } from './revocation.js';
import { sandboxIdPattern } from './routes.js';

export function readText(value: unknown): string {
  if (typeof value !== 'string') throw unauthenticated();
  return value;
}

export function readNumber(value: unknown): number {
  if (typeof value !== 'number') throw unauthenticated();
  return value;
}

export function readTrue(value: unknown): true {
  if (value !== true) throw unauthenticated();
  return value;
}

export function readSandboxId(value: unknown): string {
  const id = readText(value);
  if (!sandboxIdPattern.test(id)) throw unauthenticated();
  return id;
}

/** A newer broker may grant what this one does not know; it is not guessed at. */
export function readGrant(value: unknown): FullGrant {
  try {
    return parseGrant(value);
  } catch {
    throw unauthenticated();
  }
}

/** The sessions that a guest's came from. */
export function readVia(value: unknown): readonly [RevocableSession, ...RevocableSession[]] {
  if (!Array.isArray(value)) throw unauthenticated();
  const [first, ...others] = value.map(readSession);
  if (!first) throw unauthenticated();
  return [first, ...others];
}

function readSession(value: unknown): RevocableSession {
  const { sub, sid, gen } = Object(value) as Record<string, unknown>;
  return { sub: readText(sub), sid: readText(sid), ...(gen !== undefined && { gen: readText(gen) }) };
}
