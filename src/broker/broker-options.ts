/** What an application gives to a broker. */

import type { FetchLike } from '../transport/authorized-fetch.js';
import type { Authorization, Intent } from './authorization.js';
import type { BrokerEvent } from './broker-event.js';
import type { BrokerLimits } from './limits.js';
import type { PreviewOptions } from './previews/preview-options.js';
import type { SessionStore } from './session-store.js';
import type { SigningKeys } from './signing-keys.js';

/** A value, or what makes it of the environment: a Worker has that only inside a request. */
export type FromEnv<Env, T> = T | ((env: Env) => T | Promise<T>);

/** What the runtime gives along with a request. */
export interface BrokerContext<Env = unknown> {
  /** Handed to the options that are functions. */
  env?: Env;
  /** A Worker's execution context. */
  ctx?: { waitUntil(promise: Promise<unknown>): void };
}

/** Settings of a broker. */
export interface BrokerOptions<Env = unknown> {
  /** The team's API key. It never leaves the broker but for the control plane. */
  apiKey: FromEnv<Env, string>;
  /**
   * Says who the caller is and what they may do, or null or undefined to refuse (403, `session_refused`). Asked at each
   * mint, when somebody comes with an invitation, and again at each refresh. The body of the request has been read: what
   * the page sent is in `intent`. At a refresh the `Authorization` header is the session's own token, and
   * `intent.subject` is who it was given to.
   *
   * An `AuthenticationError`, `PermissionDeniedError` or `RateLimitError` that it throws is answered with its message
   * and code as 401, 403 or 429; anything else as 500, without a word of it.
   */
  authorize(
    request: Request,
    intent: Intent,
    context: BrokerContext<Env>,
  ): Authorization | null | undefined | Promise<Authorization | null | undefined>;
  /** What session tokens are signed with. */
  signingKeys: FromEnv<Env, SigningKeys>;
  /**
   * The origins of the pages that may use the broker, exactly, as `https://app.example`. Requests without an `Origin`
   * are not from pages of other sites; they need the token, or what `authorize` wants, like all.
   */
  origins: FromEnv<Env, readonly string[]>;
  /** The path that the broker is mounted at, as `/api/sandbox`. Default: the root. */
  basePath?: string;
  /**
   * Where pages find the broker, as `https://api.example/sandbox`: for pages of another origin, and behind a proxy that
   * changes the path. By default the addresses in a session are paths (`/api/sandbox/…`), which are right behind any
   * proxy that keeps the path: what a server sees of its own scheme and host behind a proxy is not to be relied on.
   */
  publicUrl?: string;
  /**
   * Remembers sessions that were ended, which ends what they have open within 30 s as well. Without one they
   * work on until their token ends, and for as long as `authorize` lets them be refreshed. One that can compare and set
   * also counts mints and uses of invitations for all instances, which else each process does for itself.
   */
  store?: FromEnv<Env, SessionStore | undefined>;
  /** What one session, and one subject, may take up at once. */
  limits?: BrokerLimits;
  /** How long a token is good for, in milliseconds: at most 900 000. Default 300 000. */
  tokenTtlMs?: number;
  /** How long a session can be refreshed, in milliseconds. Default 28 800 000 (8 hours). */
  sessionLifeMs?: number;
  /**
   * The `iss` of tokens. Default `e2b-edge`. Applications that share a key or an E2B team need one each: it keeps their
   * tokens and their users' sandboxes apart.
   */
  issuer?: string;
  /** E2B's domain, or that of a cluster of your own. Default `e2b.app`. */
  domain?: FromEnv<Env, string | undefined>;
  /** Takes the place of `https://api.{domain}`. */
  apiUrl?: FromEnv<Env, string | undefined>;
  /** Takes the place of all sandboxes' own addresses: a local server. */
  sandboxUrl?: FromEnv<Env, string | undefined>;
  /** Where what listens at granted ports is shown. Default: below the broker's path. */
  previews?: FromEnv<Env, PreviewOptions | undefined>;
  /** Takes the place of the runtime's own; for WebSockets of previews on Workers alone. */
  fetch?: FetchLike;
  /** Called once for each decision, at the end of what passes for long, and for what happens at terminals. What it throws is dropped. */
  logger?: (event: BrokerEvent) => void;
}
