import { AuthenticationError, type E2BEdgeError, InvalidArgumentError, isE2BEdgeError } from '../errors.js';
import { parseSession, type Session } from '../wire/session.js';
import { Caller } from './caller.js';
import type { ClientOptions } from './client-options.js';
import { type Credential, fixedCredential } from './credential.js';
import { readJson } from './http-error.js';

/** Why a session is asked for. */
export interface SessionRequest {
  /** `connect`: the first time. `renew`: the broker would not refresh the one before. */
  reason: 'connect' | 'renew';
  /** With `renew`: the sandbox that the new session must be for. */
  sandboxId?: string;
}

/** Where sessions come from: one that is at hand, or a function that asks your broker for one. */
export type SessionSource = Session | ((request: SessionRequest) => Session | Promise<Session>);

/** A token is replaced when this part of its life is over. */
const renewAfter = 0.8;

/** How long the broker may take to refresh one, in milliseconds: calls wait for it. */
const refreshTimeoutMs = 10_000;

/**
 * Keeps one session usable: refreshes its token at 80 % of its life and when it was refused, once for all calls that
 * wait for it.
 */
export class SessionCredential implements Credential {
  #session: Session;
  /** By the page's own clock, which may be wrong but runs at the right speed. */
  #since = Date.now();
  #renewal: Promise<void> | undefined;
  readonly #source: SessionSource;
  readonly #client: ClientOptions;

  private constructor(session: Session, source: SessionSource, client: ClientOptions) {
    this.#session = session;
    this.#source = source;
    this.#client = client;
  }

  /** Gets the first session. */
  static async obtain(source: SessionSource, client: ClientOptions = {}): Promise<SessionCredential> {
    return new SessionCredential(await fromSource(source, { reason: 'connect' }), source, client);
  }

  get session(): Session {
    return this.#session;
  }

  /** The token, refreshed when it is about to end. */
  async token(): Promise<string> {
    const age = Date.now() - this.#since;
    if (age >= renewAfter * this.#session.ttlMs) {
      try {
        await this.#renewOnce();
      } catch (error) {
        // A broker in trouble is no reason to fail while the token still has some life.
        if (age >= this.#session.ttlMs || !isPassing(error)) throw error;
      }
    }
    return this.#session.token;
  }

  /** A token other than the one that was refused. */
  async renewedToken(refused: string): Promise<string> {
    if (refused === this.#session.token) await this.#renewOnce();
    return this.#session.token;
  }

  async headers(): Promise<Record<string, string>> {
    return { authorization: `Bearer ${await this.token()}` };
  }

  /** Replaces a token that was refused, unless that has been done meanwhile. */
  async renew(refused: Record<string, string>): Promise<void> {
    await this.renewedToken(refused.authorization?.replace(/^Bearer /, '') ?? '');
  }

  #renewOnce(): Promise<void> {
    this.#renewal ??= this.#next()
      .then((session) => {
        this.#session = session;
        this.#since = Date.now();
      })
      .finally(() => {
        this.#renewal = undefined;
      });
    return this.#renewal;
  }

  async #next(): Promise<Session> {
    const { sandboxId } = this.#session;
    const session = await this.#refresh().catch((error: unknown) => {
      if (error instanceof AuthenticationError && typeof this.#source === 'function') {
        return fromSource(this.#source, { reason: 'renew', sandboxId });
      }
      throw error;
    });
    if (session.sandboxId !== sandboxId) {
      throw new AuthenticationError(
        `The new session is for another sandbox (${session.sandboxId}) than this one (${sandboxId}). A session function must pass on the sandboxId that it is given.`,
        { code: 'session_refused' },
      );
    }
    return session;
  }

  async #refresh(): Promise<Session> {
    const { token, urls, sandboxId } = this.#session;
    const url = absoluteUrl(urls.refresh);
    const credential = fixedCredential({ authorization: `Bearer ${token}` });
    const caller = new Caller({ baseUrl: url, credential, client: this.#client, sandboxId });
    const subject = { operation: 'session.refresh', requestTimeoutMs: refreshTimeoutMs, idempotent: true };
    try {
      return await caller.run(subject, async (fetch, signal) => {
        const headers = { 'content-type': 'application/json' };
        const response = await fetch(url, { method: 'POST', headers, body: '{}', signal }, 'control');
        return parseSession(await readJson(response));
      });
    } catch (error) {
      throw isE2BEdgeError(error) ? refreshRefused(error) : error;
    }
  }
}

/** An address out of a session, which may be relative to the page. */
export function absoluteUrl(url: string): string {
  const base = (globalThis as { location?: { href?: string } }).location?.href;
  try {
    return new URL(url, base).href;
  } catch (cause) {
    throw new InvalidArgumentError(
      `The address "${url}" is relative, and there is no page that it could be relative to. Use an absolute one; for those of a session, give the broker its publicUrl.`,
      { code: 'invalid_session', cause },
    );
  }
}

async function fromSource(source: SessionSource, request: SessionRequest): Promise<Session> {
  return parseSession(typeof source === 'function' ? await source(request) : source);
}

/** Whether the broker may well answer the next time. */
function isPassing(error: unknown): boolean {
  if (!isE2BEdgeError(error)) return false;
  const { code, statusCode = 0 } = error;
  return /^(connection_|request_timeout)/.test(code) || statusCode === 429 || statusCode >= 500;
}

function refreshRefused(error: E2BEdgeError): E2BEdgeError {
  if (error.statusCode !== 401 && error.statusCode !== 403) return error;
  return new AuthenticationError(
    `The session has ended and the broker would not renew it: ${error.message}`,
    {
      code: 'session_expired',
      cause: error,
      statusCode: error.statusCode,
    },
  );
}
