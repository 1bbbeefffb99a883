/**
 * The marks of processes, by which a broker knows its own again: envd keeps a text, the tag, with each. A mark is of the
 * subject and not of the session: a page that is loaded again has a new session and wants its terminal back. It also
 * says what the process was started under, an exact command by its digest, so that a session that may only run one
 * command cannot reach a shell that the same user has under a wider grant, nor another command. For the same reason the
 * Linux user is part of it: a page that may be `user` is kept out of what another page of its user has as `root`.
 */

import type { ExactCommand } from '../wire/session.js';
import { commandKey } from './exact-command.js';

/** What a process was started under: a terminal, any command, or one of a list, by its digest. */
export type ProcessKind = 'pty' | 'run' | `exact:${string}`;

/** The beginning of all marks of a subject as a Linux user. */
export async function tagOf(subject: string, user: string | undefined): Promise<string> {
  return `e2b-edge:${await digest(JSON.stringify([subject, user ?? null]))}`;
}

/** The mark of a process. */
export async function processTag(
  subject: string,
  user: string | undefined,
  kind: ProcessKind,
): Promise<string> {
  return `${await tagOf(subject, user)}:${kind}`;
}

/** The kind of what is started as an exact command. */
export async function exactKind(command: ExactCommand): Promise<ProcessKind> {
  return `exact:${await digest(commandKey(command))}`;
}

/** The kind that a mark of this subject says. */
export function kindOfTag(tag: string | undefined, mark: string): ProcessKind | undefined {
  if (!tag?.startsWith(`${mark}:`)) return undefined;
  const kind = tag.slice(mark.length + 1);
  return /^(pty|run|exact:[0-9a-f]{32})$/.test(kind) ? (kind as ProcessKind) : undefined;
}

async function digest(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(bytes, 0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
