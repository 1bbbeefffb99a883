/** Where sessions come from: the first one, and the one after a session that the broker would not refresh. */

import { ConnectionError, isE2BEdgeError } from '../errors.js';
import { type DirectSession, parseAnySession, parseSession, type Session } from '../wire/session.js';
import type { CallOptions } from './call-options.js';
import { abortable, withDeadline } from './deadline.js';

/** Why a session is asked for. */
export interface SessionRequest {
  /** `connect`: the first time. `renew`: the broker would not refresh the one before. */
  reason: 'connect' | 'renew';
  /** With `renew`: the sandbox that the new session must be for. */
  sandboxId?: string;
}

/** A function that asks your broker for a session. */
export type SessionFunction = (
  request: SessionRequest,
) => Session | DirectSession | Promise<Session | DirectSession>;

/** Where sessions come from: one that is at hand, or a function that asks your broker for one. */
export type SessionSource = Session | DirectSession | SessionFunction;

/** How long a session function may take to renew one, in milliseconds: calls wait for it. */
const renewalTimeoutMs = 30_000;

/**
 * @throws {InvalidArgumentError} code `invalid_session`: what the source gave is none.
 * @throws whatever the session function throws.
 */
export async function firstSession(
  source: SessionSource,
  options: CallOptions,
): Promise<Session | DirectSession> {
  if (typeof source !== 'function') return parseAnySession(source);
  const what = 'Sandbox.connect: the session function';
  return parseAnySession(
    await withDeadline(options, what, (signal) => abortable(ask(source, { reason: 'connect' }), signal)),
  );
}

/**
 * @throws {ConnectionError} code `session_unavailable`: the function failed with an error of its own, as that of a network
 * that is down, or took too long; it may work the next time.
 */
export async function renewedSession(source: SessionFunction, sandboxId: string): Promise<Session> {
  const limit = new AbortController();
  const timer = setTimeout(
    () => limit.abort(new Error(`it gave none within ${renewalTimeoutMs} ms`)),
    renewalTimeoutMs,
  );
  try {
    return parseSession(await abortable(ask(source, { reason: 'renew', sandboxId }), limit.signal));
  } catch (error) {
    if (isE2BEdgeError(error)) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new ConnectionError(`The session has run out, and its function did not get another: ${why}`, {
      code: 'session_unavailable',
      cause: error,
      retryable: true,
    });
  } finally {
    clearTimeout(timer);
  }
}

async function ask(source: SessionFunction, request: SessionRequest): Promise<unknown> {
  return source(request);
}
