/**
 * Grants of which one gives what the other withholds. An exact list of commands is worth what it is written on: who can
 * change what these commands run can run anything, and so can who has a terminal.
 */

import type { ExactCommand } from '../wire/session.js';
import { boundCommand } from './exact-command.js';
import type { FullGrant } from './grant.js';
import { invalidGrant, notGranted } from './refusals.js';
import { isWithin, normalizeAbsolute } from './sandbox-path.js';

/**
 * Where what a login shell runs can be changed from: the homes, what it reads and looks programs up in, and the files by
 * which envd, as root, would change the kernel or what is started by itself. The working directory of a command that
 * names none is the template's, as a rule the home.
 */
const systemSources = [
  ...['/home', '/root', '/etc', '/usr', '/bin', '/sbin', '/lib', '/lib64', '/opt'],
  ...['/boot', '/dev', '/proc', '/run', '/sys', '/var/run', '/var/spool'],
];

/**
 * Paths where a command line has a program, a script for an interpreter, or a directory to go to. It is a look and no
 * shell's grammar: a file that a command reads in another way is its input, which a page may be meant to write. What is
 * before a path is looked back at, as it can be a path itself: `/usr/bin/python3 /srv/run.py`.
 */
const programPath =
  /(?<=(?:^|[;&|({\n]|\b(?:exec|env|nohup|nice|time|sudo|xargs|cd|source|sh|bash|dash|zsh|node|deno|bun|python[\d.]*|ruby|perl|php)(?:\s+-\S+)*\s|(?:^|\s)\.\s)\s*(?:\w+=\S*\s+)*["']?)(\/[^\s;&|(){}"']*)/g;

/**
 * Refuses a grant that has a way round itself.
 * @throws {InvalidArgumentError} code `invalid_grant`, naming both.
 */
export function requireSound(grant: FullGrant): void {
  const { commands, pty, files } = grant;
  if (!Array.isArray(commands)) return;
  if (pty === 'write') {
    throw invalidGrant(
      `an exact list of "commands" together with "pty": "write", a shell that runs anything: grant "commands": "run", or "pty": "read"`,
    );
  }
  for (const command of commands.map(boundCommand)) {
    const sources = [...systemSources, ...commandSources(command)];
    const writable = files.find(
      ({ op, prefix }) => op === 'write' && sources.some((source) => touches(prefix, source)),
    );
    if (writable) {
      throw invalidGrant(
        `the exact command ${JSON.stringify(command.command)} of "commands" together with write access to ${writable.prefix} in "files", from where what it runs can be changed: grant "commands": "run", or fewer files`,
      );
    }
  }
}

/**
 * The same, of where the places of a command lead to in the sandbox: a program in it can have put a symlink there.
 * @param realPath follows symlinks, and knows the default directory by an empty path.
 */
export async function requireSafePlaces(
  command: ExactCommand,
  { files }: FullGrant,
  realPath: (path: string) => Promise<string>,
): Promise<void> {
  const writable = files.filter(({ op }) => op === 'write');
  if (writable.length === 0) return;
  const places = [command.cwd ?? '', command.envs?.HOME ?? '~', ...commandSources(command)];
  for (const place of await Promise.all(places.map(realPath))) {
    if (writable.some(({ prefix }) => touches(prefix, place))) {
      throw notGranted('run this command, as it may also write to where that is run from');
    }
  }
}

/** Whether a granted prefix gives a place, a part of it, or what it lies in. */
export function touches(prefix: string, place: string): boolean {
  return isWithin(prefix, place) || isWithin(place, prefix);
}

/** The places that a command names and is run from: its directory, what its variables say, its programs. */
export function commandSources({ command, cwd, envs = {} }: ExactCommand): string[] {
  const variables = Object.values(envs).flatMap((value) => value.split(/[\s:;,='"]/));
  const programs = Array.from(command.matchAll(programPath), ([, path = '']) => path);
  return [cwd ?? '', ...variables, ...programs].filter((path) => path.startsWith('/')).map(normalizeAbsolute);
}
