/** What a broker gives a page: a short-lived token for one sandbox, what it allows, and where to use it. */

import { InvalidArgumentError } from '../errors.js';

/** A path that may be used, with everything below it. */
export interface FileGrant {
  op: 'read' | 'write';
  /** Absolute; `/` is everything. */
  prefix: string;
}

/** What may be done to the sandbox itself. */
export type LifecycleGrant = 'info' | 'extend' | 'pause' | 'kill';

/** What a session may do. All of it is off unless granted; keys that are not known here are refused by a broker. */
export interface Grant {
  files?: FileGrant[];
  /**
   * `run` is everything that the sandbox's user can reach; a list is exact command lines, run by a login shell in its
   * default directory. What such a command reads from its input is up to the page.
   */
  commands?: 'none' | 'run' | string[];
  /** `write` is everything that the sandbox's user can reach. */
  pty?: 'none' | 'read' | 'write';
  lifecycle?: LifecycleGrant[];
  /** The Linux user that everything runs as; envd's default user if absent. */
  user?: string;
}

/** What a page asks a broker for with `POST /sessions`; all of it is optional. */
export interface MintRequest {
  /** A sandbox of this page's user, to go on with it; without it the application decides, as a rule for a new one. */
  sandboxId?: string;
  /** No more than this is wanted. What is granted is what was asked for and may be had. */
  grant?: Grant;
  /** Asks for a {@link DirectSession}. */
  direct?: true;
  /** What another page's session gave out: the session is for that one's sandbox. */
  invitation?: string;
}

/** A session as the page holds it. */
export interface Session {
  /** Opaque to the page. */
  token: string;
  /** When the token ends, in milliseconds since 1970 by the clock of the broker. */
  expiresAt: number;
  /** How long the token was good for when it was given out, in milliseconds: a page's clock may be wrong. */
  ttlMs: number;
  sessionId: string;
  sandboxId: string;
  /** The version of envd in the sandbox. */
  envdVersion: string;
  /**
   * Where to use it; absolute, or relative to the page. `envd` takes the place of envd's own address, `pty` is the
   * terminal's WebSocket, `refresh` (POST) gives a fresh token, `sign` (POST) signs URLs of files. `session` (GET, DELETE)
   * tells of it and ends it; below that are `kill`, `extend`, `pause`, `resume`, `metrics` and `invite`.
   */
  urls: { envd: string; pty: string; refresh: string; session: string; sign: string };
  grant: Grant;
  /** The most that it may pass on by an invitation; absent where it may not invite. */
  invite?: Grant;
}

/**
 * envd itself: its address and its token, which opens the whole sandbox. It has no end, no grant and no limits, and cannot
 * be taken back: only killing the sandbox ends it.
 */
export interface DirectSession {
  direct: {
    /** Absolute. */
    envdUrl: string;
    /** What each request has to carry, the token among them. */
    headers: Record<string, string>;
  };
  sandboxId: string;
  /** The version of envd in the sandbox. */
  envdVersion: string;
}

/**
 * Checks that a value is a session.
 * @throws {InvalidArgumentError} code `invalid_session`, naming the first field that is wrong.
 */
export function parseSession(value: unknown): Session {
  const session = record(value, 'the session');
  for (const key of ['token', 'sessionId', 'sandboxId', 'envdVersion']) text(session, key);
  for (const key of ['expiresAt', 'ttlMs']) {
    if (!Number.isFinite(session[key])) throw invalid(`"${key}" is ${shown(session[key])}, not a number`);
  }
  const urls = record(session.urls, '"urls"');
  for (const key of ['envd', 'pty', 'refresh', 'session', 'sign']) text(urls, key, 'urls.');
  record(session.grant, '"grant"');
  return session as unknown as Session;
}

/**
 * Checks that a value is a direct session.
 * @throws {InvalidArgumentError} code `invalid_session`, naming the first field that is wrong.
 */
export function parseDirectSession(value: unknown): DirectSession {
  const session = record(value, 'the session');
  const direct = record(session.direct, '"direct"');
  for (const key of ['sandboxId', 'envdVersion']) text(session, key);
  text(direct, 'envdUrl', 'direct.');
  const headers = record(direct.headers, '"direct.headers"');
  for (const key of Object.keys(headers)) text(headers, key, 'direct.headers.');
  return session as unknown as DirectSession;
}

export function isDirect(session: Session | DirectSession): session is DirectSession {
  return 'direct' in session;
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(`${what} is ${shown(value)}, not an object`);
  }
  return value as Record<string, unknown>;
}

function text(holder: Record<string, unknown>, key: string, prefix = ''): void {
  const value = holder[key];
  if (typeof value !== 'string' || value === '') {
    throw invalid(`"${prefix}${key}" is ${shown(value)}, not a text`);
  }
}

// A token could be among the wrong values, so only its type is shown.
function shown(value: unknown): string {
  return value === null
    ? 'null'
    : value === undefined
      ? 'missing'
      : value === ''
        ? 'empty'
        : `a ${typeof value}`;
}

function invalid(what: string): InvalidArgumentError {
  return new InvalidArgumentError(
    `Not a session: ${what}. Pass on exactly what the broker's POST /sessions answered.`,
    { code: 'invalid_session' },
  );
}
