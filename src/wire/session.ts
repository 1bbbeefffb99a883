/** What a broker gives a page: a short-lived token for one sandbox, what it allows, and where to use it. */

import { InvalidArgumentError } from '../errors.js';

/** A path that may be used, with everything below it. */
export interface FileGrant {
  op: 'read' | 'write';
  /** Absolute; `/` is everything. */
  prefix: string;
}

/** What may be done to the sandbox itself: `info` has its metrics as well, `pause` also resumes. */
export type LifecycleGrant = 'info' | 'extend' | 'pause' | 'kill';

/** A command line that may be run, with all that goes with it: another directory or variable makes another command. */
export interface ExactCommand {
  /** Run by a login shell, `/bin/bash -l -c`. */
  command: string;
  /** Absolute. Default: the template's working directory. */
  cwd?: string;
  /** Variables on top of the sandbox's own. They are in the session's token, where the page can read them. */
  envs?: Record<string, string>;
  /** Whether the page may write to its input. Default false: it is closed. */
  stdin?: boolean;
}

/** What a session may do. All of it is off unless granted; keys that are not known here are refused by a broker. */
export interface Grant {
  files?: FileGrant[];
  /**
   * Whether operations on files are done by `user`, which it takes, and not by envd as root. A page may ask for it, and
   * cannot turn it off. Directories are not watched then, and files have no metadata and no signed addresses.
   */
  strict?: boolean;
  /**
   * `run` is everything that the sandbox's user can reach. A list is of exact commands; a text is one in the template's
   * working directory, without variables and input of its own.
   */
  commands?: 'none' | 'run' | (string | ExactCommand)[];
  /** `write` is everything that the sandbox's user can reach. */
  pty?: 'none' | 'read' | 'write';
  /** Ports of the sandbox, 1 to 65535, that the page may reach through the broker; 49983 is envd's and is none of them. */
  ports?: number[];
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
   * tells of it and ends it; below that are `kill`, `extend`, `pause`, `resume`, `metrics` and `invite`. `preview` is
   * where a port is shown, with `{port}` for its number; absent where none is granted.
   */
  urls: { envd: string; pty: string; refresh: string; session: string; sign: string; preview?: string };
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
  if (urls.preview !== undefined) text(urls, 'preview', 'urls.');
  record(session.grant, '"grant"');
  if (session.invite !== undefined) record(session.invite, '"invite"');
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

/** Checks that a value is a session of either kind. */
export function parseAnySession(value: unknown): Session | DirectSession {
  const isDirect = typeof value === 'object' && value !== null && 'direct' in value;
  return isDirect ? parseDirectSession(value) : parseSession(value);
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
