/** What a session may do: read from JSON, and the smaller of what is asked for and what is allowed. */

import { isObject } from '../transport/check-options.js';
import { envdPort } from '../transport/envd-endpoint.js';
import type { FileGrant, Grant, LifecycleGrant } from '../wire/session.js';
import { type CommandGrant, intersectCommandLists, isPlainText, parseCommands } from './exact-command.js';
import { invalidGrant } from './refusals.js';
import { isWithin, normalizeAbsolute } from './sandbox-path.js';

/** A grant with nothing left open. */
export interface FullGrant extends Grant {
  files: FileGrant[];
  commands: 'none' | 'run' | CommandGrant[];
  pty: 'none' | 'read' | 'write';
  ports: number[];
  lifecycle: LifecycleGrant[];
}

const keys: readonly string[] = ['files', 'strict', 'commands', 'pty', 'ports', 'lifecycle', 'user'];
const ptyModes = ['none', 'read', 'write'] as const;
const lifecycles: readonly unknown[] = ['info', 'extend', 'pause', 'kill'];
const userPattern = /^[a-z_][a-z0-9_-]{0,31}$/;
/** It travels in the token, in a header of each request, of which servers take 8 KiB as a rule. */
const maxGrantBytes = 4096;

/**
 * Reads a grant.
 * @throws {InvalidArgumentError} code `invalid_grant`, naming what is wrong.
 */
export function parseGrant(value: unknown): FullGrant {
  if (!isObject(value)) throw invalidGrant('it is not an object');
  const grant = value as Record<string, unknown>;
  const unknown = Object.keys(grant).find((key) => !keys.includes(key));
  if (unknown !== undefined) throw invalidGrant(`"${unknown}" is not known`);
  const { pty = 'none', strict = false, user } = grant;
  if (!ptyModes.includes(pty as never)) throw invalidGrant('"pty" is not "none", "read" or "write"');
  if (typeof strict !== 'boolean') throw invalidGrant('"strict" is not true or false');
  if (user !== undefined && (typeof user !== 'string' || !userPattern.test(user))) {
    throw invalidGrant('"user" is not the name of a Linux user');
  }
  const parsed: FullGrant = {
    files: listOf(grant, 'files').map(parseFileGrant),
    commands: parseCommandsGrant(grant.commands),
    pty: pty as FullGrant['pty'],
    ports: unique(listOf(grant, 'ports').map(parsePort)),
    lifecycle: unique(listOf(grant, 'lifecycle').map(parseLifecycle)),
    ...(strict && { strict }),
    ...(user !== undefined && { user }),
  };
  requireUser(parsed);
  if (new TextEncoder().encode(JSON.stringify(parsed)).length > maxGrantBytes) {
    throw invalidGrant(`it has more than ${maxGrantBytes} bytes as JSON`);
  }
  return parsed;
}

/**
 * The grant that both allow. The user is the one that is allowed: a page does not choose.
 * @throws {InvalidArgumentError} code `invalid_grant`: strict mode is asked for where no user is pinned.
 */
export function intersectGrants(asked: FullGrant, allowed: FullGrant): FullGrant {
  const both: FullGrant = {
    files: intersectFiles(asked.files, allowed.files),
    commands: intersectCommands(asked.commands, allowed.commands),
    pty: ptyModes[Math.min(ptyModes.indexOf(asked.pty), ptyModes.indexOf(allowed.pty))] ?? 'none',
    ports: asked.ports.filter((port) => allowed.ports.includes(port)),
    lifecycle: asked.lifecycle.filter((item) => allowed.lifecycle.includes(item)),
    ...((asked.strict || allowed.strict) && { strict: true }),
    ...(allowed.user !== undefined && { user: allowed.user }),
  };
  requireUser(both);
  return both;
}

/** Without a name it would be whoever envd takes, which can be root. */
function requireUser({ strict, user }: FullGrant): void {
  if (strict && user === undefined) throw invalidGrant('"strict" takes a "user" that the application pins');
}

/** Whether the grant allows an operation on a normalised path. */
export function allowsFile(grant: FullGrant, op: FileGrant['op'], path: string): boolean {
  return grant.files.some((file) => file.op === op && isWithin(path, file.prefix));
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
  const both = intersectCommandLists(asked, allowed);
  return both.length === 0 ? 'none' : both;
}

function parseCommandsGrant(value: unknown = 'none'): FullGrant['commands'] {
  if (value === 'none' || value === 'run') return value;
  if (!Array.isArray(value)) throw invalidGrant('"commands" is not "none", "run" or a list of commands');
  return value.length === 0 ? 'none' : parseCommands(value);
}

function parseFileGrant(value: unknown): FileGrant {
  const { op, prefix, ...rest } = (value ?? {}) as Record<string, unknown>;
  if (op !== 'read' && op !== 'write') throw invalidGrant('an "op" of "files" is not "read" or "write"');
  if (!isPlainText(prefix) || !prefix.startsWith('/') || prefix.includes('\\')) {
    throw invalidGrant('a "prefix" of "files" is not an absolute path');
  }
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw invalidGrant(`"${unknown}" of "files" is not known`);
  return { op, prefix: normalizeAbsolute(prefix) };
}

function parsePort(value: unknown): number {
  if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > 65535) {
    throw invalidGrant('a port of "ports" is not a whole number from 1 to 65535');
  }
  // It opens all of the sandbox.
  if (value === envdPort) throw invalidGrant(`${envdPort} of "ports" is envd's own`);
  return value as number;
}

function parseLifecycle(value: unknown): LifecycleGrant {
  if (!lifecycles.includes(value)) {
    throw invalidGrant('"lifecycle" has more than "info", "extend", "pause" and "kill"');
  }
  return value as LifecycleGrant;
}

function listOf(grant: Record<string, unknown>, key: string): unknown[] {
  const { [key]: list = [] } = grant;
  if (!Array.isArray(list)) throw invalidGrant(`"${key}" is not a list`);
  return list;
}

function unique<T>(items: T[]): T[] {
  return [...new Set(items)];
}
