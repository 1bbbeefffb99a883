/** Sessions that were ended before their time: one by one, or all of a subject's so far. */

import { InvalidArgumentError } from '../errors.js';
import { sessionRevoked } from './refusals.js';
import type { SessionStore } from './session-store.js';
import { askStore, storeKey } from './store-access.js';

/** What is to be over: a session, or all sessions that a subject has begun so far. */
export type Revocation = { sessionId: string } | { subject: string };

/** What of a session says whether it was ended. */
export interface RevocableSession {
  sid: string;
  sub: string;
  /** What `begin` gave when it was begun. */
  gen?: string;
  /** Through whom it came about, outermost first: it ends with each of them. */
  via?: readonly RevocableSession[];
}

export interface Revocations {
  /** Whether anything is remembered. */
  readonly areKept: boolean;
  /**
   * What a session of the subject has to hold as its `gen`.
   * @param since when it was asked for, in milliseconds since 1970: what was allowed before a revocation is not begun
   *   after it.
   */
  begin(subject: string, since: number): Promise<string | undefined>;
  /** Rejects with `session_revoked` where the session, or one that it came through, was ended. */
  check(session: RevocableSession): Promise<void>;
  /** Rejects with `no_store` where nothing can be remembered. */
  revoke(what: Revocation): Promise<void>;
}

/** Another server's clock may be ahead by so much. */
const clockSkewMs = 60_000;

/**
 * A subject's revocation is a new generation rather than a moment: sessions hold the generation that they were begun
 * in, so that no two servers' clocks are compared to tell what came first. Where the store has forgotten it, all
 * sessions from before are beyond their absolute end.
 * @param sessionLifeMs how long a session can last.
 */
export function createRevocations(store: SessionStore | undefined, sessionLifeMs: number): Revocations {
  return {
    areKept: store !== undefined,

    async begin(subject, since) {
      if (!store) return undefined;
      const generation = await read(store, await subjectKey(subject));
      if (Number(generation?.split('-')[0]) > since) throw sessionRevoked();
      return generation;
    },

    async check(session) {
      if (!store) return;
      const all = [session, ...(session.via ?? [])];
      const over = await Promise.all(all.map((one) => isOver(store, one)));
      if (over.includes(true)) throw sessionRevoked();
    },

    async revoke(what) {
      const key = await keyOf(what);
      if (!store) {
        throw new InvalidArgumentError(
          'The broker has no `store`, so it cannot remember what was revoked: give it one, as createMemoryStore().',
          { code: 'no_store' },
        );
      }
      const now = Date.now();
      const value = `${now}-${crypto.randomUUID()}`;
      await askStore('take the revocation', () => store.set(key, value, now + sessionLifeMs + clockSkewMs));
    },
  };
}

async function isOver(store: SessionStore, { sid, sub, gen }: RevocableSession): Promise<boolean> {
  const keys = await Promise.all([sessionKey(sid), subjectKey(sub)]);
  const [ended, now] = await Promise.all(keys.map((key) => read(store, key)));
  return ended !== undefined || (now !== undefined && now !== gen);
}

function read(store: SessionStore, key: string): Promise<string | undefined> {
  return askStore('say whether the session was ended', async () => (await store.get(key)) ?? undefined);
}

async function keyOf(what: Revocation): Promise<string> {
  const { sessionId, subject } = Object(what) as Record<string, unknown>;
  if (isText(sessionId) && subject === undefined) return sessionKey(sessionId);
  if (isText(subject) && sessionId === undefined) return subjectKey(subject);
  throw new InvalidArgumentError(
    'revoke: it takes { sessionId } or { subject }: one of them, and a string that is not empty.',
  );
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

const sessionKey = (sessionId: string): Promise<string> => storeKey('ended-session', sessionId);
const subjectKey = (subject: string): Promise<string> => storeKey('ended-subject', subject);
