import type { Connection } from './connection.js';
import { envdVersions } from './version.js';

/**
 * The headers that choose the Linux user of an RPC. From envd 0.4.0 on the template has a default user; before, it is
 * spelled out. Through a broker the session's own user takes the place of this.
 */
export function userHeaders(connection: Connection, user: string | undefined): Record<string, string> {
  const name = userName(connection, user);
  return name === undefined ? {} : { authorization: `Basic ${base64(`${name}:`)}` };
}

/** The user to name in the query of a file request. */
export function userName(connection: Connection, user: string | undefined): string | undefined {
  return user ?? (connection.hasEnvd(envdVersions.defaultUser) ? undefined : 'user');
}

/** `btoa` alone refuses everything that is not Latin-1. */
function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
