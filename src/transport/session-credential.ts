import { AuthenticationError, type E2BEdgeError, isE2BEdgeError } from '../errors.js';
import type { Session } from '../wire/session.js';
import { maxTimerMs } from './call-options.js';
import type { ClientOptions } from './client-options.js';
import type { Credential } from './credential.js';
import { refreshSession } from './refresh-session.js';
import { renewedSession, type SessionSource } from './session-source.js';
import { stopwatch } from './stopwatch.js';

/** A token is replaced when this part of its life is over. */
const renewAfter = 0.8;

/** Between two tries to replace a token that is still good: this part of its life, and at least so long in milliseconds. */
const pausePart = 0.05;
const shortestPauseMs = 1_000;

/** What is under way by the session. */
interface User {
  onEnd: (error: E2BEdgeError) => void;
  onToken: ((token: string) => void) | undefined;
}

/**
 * Keeps one session usable. A token is replaced once for all who wait for it: when 80 % of its life is over, which nobody
 * waits for, and when it has run out or was refused.
 *
 * A timer does so only while something is under way that may make no request for long, as a terminal or a stream. A page
 * that does nothing asks for nothing: else one that is left open would keep its sandbox alive all day.
 */
export class SessionCredential implements Credential {
  #session: Session;
  #age = stopwatch();
  #renewal: Promise<void> | undefined;
  /** The age at which a token that is still good may be replaced: later, where the last try failed. */
  #renewAtMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #end: E2BEdgeError | undefined;
  readonly #users = new Set<User>();
  readonly #source: SessionSource;
  readonly #client: ClientOptions;
  readonly #onEnd: ((error: E2BEdgeError) => void) | undefined;

  /** @param onEnd told once that the session is over for good. */
  constructor(
    session: Session,
    source: SessionSource,
    client: ClientOptions = {},
    onEnd?: (error: E2BEdgeError) => void,
  ) {
    this.#session = session;
    this.#renewAtMs = renewAfter * session.ttlMs;
    this.#source = source;
    this.#client = client;
    this.#onEnd = onEnd;
  }

  get session(): Session {
    return this.#session;
  }

  /** The token; another one if its time is over. */
  async token(): Promise<string> {
    if (this.#end) throw this.#end;
    if (this.#age() >= this.#session.ttlMs) await this.#renewOnce();
    else if (this.#age() >= this.#renewAtMs) this.#renewAhead();
    return this.#session.token;
  }

  /** A token other than the one that was refused. */
  async renewedToken(refused: string): Promise<string> {
    if (this.#end) throw this.#end;
    if (refused === this.#session.token) await this.#renewOnce();
    return this.#session.token;
  }

  async headers(): Promise<Record<string, string>> {
    return { authorization: `Bearer ${await this.token()}` };
  }

  /** Replaces a token that was refused, unless that has been done meanwhile. */
  async renew(refused: Record<string, string>, refusal: E2BEdgeError): Promise<void> {
    this.heed(refusal);
    await this.renewedToken(refused.authorization?.replace(/^Bearer /, '') ?? '');
  }

  /** @param onToken told of each new token, for what is open by the one before. */
  attach(onEnd: User['onEnd'], onToken?: User['onToken']): () => void {
    if (this.#end) {
      onEnd(this.#end);
      return () => undefined;
    }
    const user: User = { onEnd, onToken };
    this.#users.add(user);
    if (this.#users.size === 1) this.#schedule();
    return () => {
      this.#users.delete(user);
      if (this.#users.size === 0) clearTimeout(this.#timer);
    };
  }

  /** Takes note of an answer that may say that the session was revoked: then nothing is asked any more. */
  heed(error: unknown): void {
    if (isE2BEdgeError(error, 'session_revoked')) this.end(error);
  }

  /** The session is over for good: all that is under way fails, and all that comes. */
  end(error: E2BEdgeError): void {
    if (this.#end) return;
    this.#end = error;
    clearTimeout(this.#timer);
    for (const user of this.#users) user.onEnd(error);
    this.#users.clear();
    void this.#tell(error);
  }

  async #tell(error: E2BEdgeError): Promise<void> {
    try {
      await this.#onEnd?.(error);
    } catch (failure) {
      this.#client.logger?.warn?.('e2b-edge: onSessionEnd failed', failure);
    }
  }

  /** Where it fails, those whose token has run out will be told. */
  #renewAhead(): void {
    this.#renewOnce().catch(() => undefined);
  }

  #renewOnce(): Promise<void> {
    this.#renewal ??= this.#renew().finally(() => {
      this.#renewal = undefined;
      if (this.#users.size > 0) this.#schedule();
    });
    return this.#renewal;
  }

  async #renew(): Promise<void> {
    let session: Session;
    try {
      session = await this.#next();
    } catch (error) {
      this.heed(error);
      throw this.#end ?? this.#failed(error);
    }
    if (this.#end) throw this.#end;
    this.#session = session;
    this.#age = stopwatch();
    this.#renewAtMs = renewAfter * session.ttlMs;
    for (const user of this.#users) user.onToken?.(session.token);
  }

  async #next(): Promise<Session> {
    const { sandboxId } = this.#session;
    const session = await refreshSession(this.#session, this.#client).catch((error: unknown) => {
      if (!(error instanceof AuthenticationError) || error.code === 'session_revoked') throw error;
      if (typeof this.#source === 'function') return renewedSession(this.#source, sandboxId);
      // There is nobody who could be asked for another.
      this.end(error);
      throw error;
    });
    if (session.sandboxId === sandboxId) return session;
    throw new AuthenticationError(
      `The new session is for another sandbox (${session.sandboxId}) than this one (${sandboxId}). A session function must pass on the sandboxId that it is given.`,
      { code: 'session_refused' },
    );
  }

  #failed(error: unknown): unknown {
    this.#renewAtMs = Number.POSITIVE_INFINITY;
    if (!isE2BEdgeError(error)) return error;
    const { retryAfterMs = 0, statusCode = 0 } = error;
    const retryable = error.retryable || statusCode >= 500;
    if (retryable) {
      const pauseMs = Math.max(shortestPauseMs, pausePart * this.#session.ttlMs, retryAfterMs);
      this.#renewAtMs = this.#age() + pauseMs;
    }
    // Nothing is unknown of the calls that have waited: they were not sent.
    return Object.assign(error, { uncertain: false, retryable });
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const delayMs = this.#renewAtMs - this.#age();
    if (this.#end || delayMs > maxTimerMs) return;
    this.#timer = setTimeout(() => this.#renewAhead(), Math.max(delayMs, shortestPauseMs));
  }
}
