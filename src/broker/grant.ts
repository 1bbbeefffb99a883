/** What a session may do: read from JSON, and the smaller of what is asked for and what is allowed. */

import { InvalidArgumentError } from '../errors.js';
import type { FileGrant, Grant, LifecycleGrant } from '../wire/session.js';
import { isWithin, normalizeAbsolute } from './sandbox-path.js';

/** A grant with nothing left open. */
export interface FullGrant extends Grant {
  files: FileGrant[];
  commands: 'none' | 'run' | string[];
  pty: 'none' | 'read' | 'write';
  lifecycle: LifecycleGrant[];
}

const keys: readonly string[] = ['files', 'commands', 'pty', 'lifecycle', 'user'];
const ptyModes = ['none', 'read', 'write'] as const;
const lifecycles: readonly unknown[] = ['info', 'extend', 'pause', 'kill'];
const userPattern = /^[a-z_][a-z0-9_-]{0,31}$/;

/**
 * Reads a grant.
 * @throws {InvalidArgumentError} code `invalid_grant`, naming what is wrong.
 */
export function parseGrant(value: unknown): FullGrant {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid('it is not an object');
  const grant = value as Record<string, unknown>;
  const unknown = Object.keys(grant).find((key) => !keys.includes(key));
  if (unknown !== undefined) throw invalid(`"${unknown}" is not known`);
  const { files = [], commands = 'none', pty = 'none', lifecycle = [], user } = grant;
  if (!Array.isArray(files)) throw invalid('"files" is not a list');
  if (commands !== 'none' && commands !== 'run' && !isTexts(commands)) {
    throw invalid('"commands" is not "none", "run" or a list of command lines');
  }
  if (!ptyModes.includes(pty as never)) throw invalid('"pty" is not "none", "read" or "write"');
  if (!isTexts(lifecycle) || !lifecycle.every((item) => lifecycles.includes(item))) {
    throw invalid('"lifecycle" has more than "info", "extend", "pause" and "kill"');
  }
  if (user !== undefined && (typeof user !== 'string' || !userPattern.test(user))) {
    throw invalid('"user" is not the name of a Linux user');
  }
  return {
    files: files.map(parseFileGrant),
    commands: isTexts(commands) && commands.length === 0 ? 'none' : (commands as FullGrant['commands']),
    pty: pty as FullGrant['pty'],
    lifecycle: [...new Set(lifecycle as LifecycleGrant[])],
    ...(user === undefined ? {} : { user }),
  };
}

/** The grant that both allow. The user is the one that is allowed: a page does not choose. */
export function intersectGrants(asked: FullGrant, allowed: FullGrant): FullGrant {
  return {
    files: intersectFiles(asked.files, allowed.files),
    commands: intersectCommands(asked.commands, allowed.commands),
    pty: ptyModes[Math.min(ptyModes.indexOf(asked.pty), ptyModes.indexOf(allowed.pty))] ?? 'none',
    lifecycle: asked.lifecycle.filter((item) => allowed.lifecycle.includes(item)),
    ...(allowed.user === undefined ? {} : { user: allowed.user }),
  };
}

/** Whether the grant allows an operation on a normalised path. */
export function allowsFile(grant: FullGrant, op: FileGrant['op'], path: string): boolean {
  return grant.files.some((file) => file.op === op && isWithin(path, file.prefix));
}

/**
 * Where what a login shell runs can be changed from: the homes, what it reads and looks programs up in, and the files by
 * which envd, as root, would change the kernel or what is started by itself. The working directory of a command that
 * names none is the template's, as a rule the home.
 */
const commandSources = [
  ...['/home', '/root', '/etc', '/usr', '/bin', '/sbin', '/lib', '/lib64', '/opt'],
  ...['/boot', '/dev', '/proc', '/run', '/sys', '/var/run', '/var/spool'],
];

/** The write prefix that makes an exact list of commands worthless, if there is one. */
export function defeatsExactCommands(grant: FullGrant): string | undefined {
  if (!Array.isArray(grant.commands)) return undefined;
  return grant.files.find(
    ({ op, prefix }) =>
      op === 'write' && commandSources.some((source) => isWithin(prefix, source) || isWithin(source, prefix)),
  )?.prefix;
}

function intersectFiles(asked: FileGrant[], allowed: FileGrant[]): FileGrant[] {
  const both: FileGrant[] = [];
  for (const { op, prefix } of asked) {
    for (const other of allowed) {
      if (other.op !== op) continue;
      if (isWithin(prefix, other.prefix)) both.push({ op, prefix });
      else if (isWithin(other.prefix, prefix)) both.push({ op, prefix: other.prefix });
    }
  }
  return both.filter(
    (file, index) =>
      !both.some(
        (other, place) =>
          place !== index &&
          other.op === file.op &&
          isWithin(file.prefix, other.prefix) &&
          (other.prefix !== file.prefix || place < index),
      ),
  );
}

function intersectCommands(
  asked: FullGrant['commands'],
  allowed: FullGrant['commands'],
): FullGrant['commands'] {
  if (asked === 'none' || allowed === 'none') return 'none';
  if (asked === 'run') return allowed;
  if (allowed === 'run') return asked;
  const both = asked.filter((command) => allowed.includes(command));
  return both.length === 0 ? 'none' : both;
}

function parseFileGrant(value: unknown): FileGrant {
  const { op, prefix } = (value ?? {}) as Record<string, unknown>;
  if (op !== 'read' && op !== 'write') throw invalid('an "op" of "files" is not "read" or "write"');
  if (typeof prefix !== 'string' || !prefix.startsWith('/') || /[\0\\]/.test(prefix)) {
    throw invalid('a "prefix" of "files" is not an absolute path');
  }
  return { op, prefix: normalizeAbsolute(prefix) };
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function invalid(what: string): InvalidArgumentError {
  return new InvalidArgumentError(`Not a grant: ${what}.`, { code: 'invalid_grant', statusCode: 400 });
}
