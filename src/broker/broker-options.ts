/** What an application gives to a broker. */

import type { FetchLike } from '../transport/authorized-fetch.js';
import type { Grant } from '../wire/session.js';
import type { BrokerEvent } from './broker-event.js';
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

/** What a page wants, for `authorize` to judge. */
export type Intent =
  | {
      action: 'mint';
      /** The sandbox that the page wants to go on with. Not verified. */
      sandboxId?: string;
      /** What the page asks for. Not verified; it gets no more than is granted. */
      grant?: Grant;
    }
  | {
      action: 'refresh';
      sandboxId: string;
      sessionId: string;
      /** Who the session was given to. */
      subject: string;
      /** What the session may do so far; a refresh never adds to it. */
      grant: Grant;
    };

/** A sandbox that is made for the page, unless it asks for one of its user's own. */
export interface NewSandbox {
  template: string;
  /** Kept with the sandbox. The keys `e2bEdgeSubject` and `e2b-edge-create` are the broker's. */
  metadata?: Record<string, string>;
  /** Environment variables of all programs in the sandbox. */
  envs?: Record<string, string>;
}

/** What the application allows. */
export interface Authorization {
  /**
   * The user, by a name that stays: it decides which sandboxes and, along with `grants.user`, which processes and
   * terminals are theirs.
   */
  subject: string;
  /**
   * A template to make a sandbox of, or the id of one. By id it need not be the subject's; what the page asks for by
   * itself must be.
   */
  sandbox: (NewSandbox | { id: string }) & {
    /**
     * How long the sandbox lives on once nobody is attached, in milliseconds. Default 300 000. More than an hour holds
     * from the mint on; while a page is attached the end is put off by an hour at most.
     */
    timeoutMs?: number;
    /**
     * Whether a page puts off the sandbox's end: while it is at a terminal or listens to a command, and whenever it
     * refreshes its session. Default true.
     */
    keepAlive?: boolean;
  };
  grants: Grant;
}

/** Settings of a broker. */
export interface BrokerOptions<Env = unknown> {
  /** The team's API key. It never leaves the broker but for the control plane. */
  apiKey: FromEnv<Env, string>;
  /**
   * Says who the caller is and what they may do, or null or undefined to refuse (403, `session_refused`). Asked at each mint and
   * again at each refresh. The body of the request has been read: what the page sent is in `intent`. At a refresh the
   * `Authorization` header is the session's own token, and `intent.subject` is who it was given to.
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
   * Remembers sessions that were ended, which ends their open streams and terminals within 30 s as well. Without one they
   * work on until their token ends, and for as long as `authorize` lets them be refreshed.
   */
  store?: SessionStore;
  /** How long a token is good for, in milliseconds: at most 900 000. Default 300 000. */
  tokenTtlMs?: number;
  /** How long a session can be refreshed, in milliseconds. Default 28 800 000 (8 hours). */
  sessionLifeMs?: number;
  /** The `iss` of tokens. Default `e2b-edge`. */
  issuer?: string;
  /** E2B's domain, or that of a cluster of your own. Default `e2b.app`. */
  domain?: FromEnv<Env, string | undefined>;
  /** Takes the place of `https://api.{domain}`. */
  apiUrl?: FromEnv<Env, string | undefined>;
  /** Takes the place of all sandboxes' own addresses: a local server. */
  sandboxUrl?: FromEnv<Env, string | undefined>;
  /** Takes the place of the runtime's own. */
  fetch?: FetchLike;
  /** Called once for each request and for what happens at terminals. What it throws is dropped. */
  logger?: (event: BrokerEvent) => void;
}
