/** How long what is open for a session may stay so. */

import { isE2BEdgeError } from '../errors.js';
import { sessionExpired } from './refusals.js';

export interface SessionLife {
  /** When the session ends at the latest, in milliseconds since 1970. Absent where it may go on. */
  until?: number;
  /** Rejects once the session was ended before its time. Absent where nothing is remembered of that. */
  check?: () => Promise<void>;
  /** Keeps the sandbox while something is open: at its beginning, and then as often as said. Absent where nothing does. */
  keepAlive?: { everyMs: number; extend: () => Promise<void> };
}

/** An ended session is to be noticed within 30 s, one failure of the store included. */
const askEveryMs = 24_000;
const askAgainMs = 1_000;
/** A longer delay than a timer takes would run out at once. */
const maxDelayMs = 2 ** 31 - 1;

/**
 * Tells once when the session is over, and why. A store that fails twice in a row ends it as well: once is a moment's
 * trouble, which is not to end what everybody has open.
 * @returns what stops it.
 */
export function watchLife({ until, check }: SessionLife, onOver: (reason: unknown) => void): () => void {
  let isStopped = false;
  let asking: ReturnType<typeof setTimeout> | undefined;
  let ending: ReturnType<typeof setTimeout> | undefined;

  function stop(): void {
    isStopped = true;
    clearTimeout(asking);
    clearTimeout(ending);
  }
  function end(reason: unknown): void {
    if (isStopped) return;
    stop();
    onOver(reason);
  }
  async function ask(hasFailed: boolean): Promise<void> {
    try {
      await check?.();
      plan(askEveryMs, false);
    } catch (error) {
      if (hasFailed || isE2BEdgeError(error, 'session_revoked')) end(error);
      else plan(askAgainMs, true);
    }
  }
  function plan(delayMs: number, hasFailed: boolean): void {
    if (!isStopped) asking = setTimeout(() => void ask(hasFailed), delayMs);
  }

  if (until !== undefined) {
    ending = setTimeout(() => end(sessionExpired()), Math.min(Math.max(until - Date.now(), 0), maxDelayMs));
  }
  if (check) plan(askEveryMs, false);
  return stop;
}

/**
 * Keeps the sandbox from now on. One that cannot be kept ends, and its streams with it: they tell.
 * @returns what stops it.
 */
export function keepSandbox({ keepAlive }: SessionLife): () => void {
  if (!keepAlive) return () => undefined;
  const extend = (): void => void keepAlive.extend().catch(() => undefined);
  extend();
  const keeping = setInterval(extend, keepAlive.everyMs);
  return () => clearInterval(keeping);
}
