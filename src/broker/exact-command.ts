/** Commands that are granted one by one: what belongs to one, and when two are the same. */

import { isObject } from '../transport/check-options.js';
import type { ExactCommand } from '../wire/session.js';
import { invalidGrant } from './refusals.js';
import { normalizeAbsolute } from './sandbox-path.js';

/** How a list names a command: a text where nothing but the line is bound, so that each has one form. */
export type CommandGrant = string | ExactCommand;

const keys: readonly string[] = ['command', 'cwd', 'envs', 'stdin'];

/** A command with nothing left open. */
export function boundCommand(granted: CommandGrant): ExactCommand {
  return typeof granted === 'string' ? { command: granted } : granted;
}

/** Tells commands apart. Whether the page may write to one's input is no part of it. */
export function commandKey({ command, cwd, envs = {} }: ExactCommand): string {
  return JSON.stringify([
    command,
    cwd ?? null,
    Object.entries(envs).sort(([one], [other]) => (one < other ? -1 : 1)),
  ]);
}

/** Reads a list of commands. One that is there twice is there once, with an input if any of the two has it. */
export function parseCommands(values: readonly unknown[]): CommandGrant[] {
  const known = new Map<string, ExactCommand>();
  for (const value of values) {
    const command = parseCommand(value);
    const key = commandKey(command);
    if (!known.get(key)?.stdin) known.set(key, command);
  }
  return [...known.values()].map(shortest);
}

/** The commands that are in both lists; their input is open where both say so. */
export function intersectCommandLists(
  asked: readonly CommandGrant[],
  allowed: readonly CommandGrant[],
): CommandGrant[] {
  const known = new Map(allowed.map(boundCommand).map((command) => [commandKey(command), command]));
  return asked.map(boundCommand).flatMap((command) => {
    const other = known.get(commandKey(command));
    if (!other) return [];
    const { stdin: _stdin, ...rest } = command;
    return [shortest(command.stdin && other.stdin ? command : rest)];
  });
}

function parseCommand(value: unknown): ExactCommand {
  const given = typeof value === 'string' ? { command: value } : value;
  if (!isObject(given)) {
    throw invalidGrant('"commands" is not "none", "run" or a list of commands');
  }
  const unknown = Object.keys(given).find((key) => !keys.includes(key));
  if (unknown !== undefined) throw invalidGrant(`"${unknown}" of a command is not known`);
  const { command, cwd, envs = {}, stdin = false } = given as Record<string, unknown>;
  if (!isPlainText(command) || command === '')
    throw invalidGrant('a "command" of "commands" is not a command line');
  if (cwd !== undefined && !(isPlainText(cwd) && cwd.startsWith('/'))) {
    throw invalidGrant('a "cwd" of "commands" is not an absolute path');
  }
  if (typeof stdin !== 'boolean') throw invalidGrant('a "stdin" of "commands" is not true or false');
  if (!isVariables(envs))
    throw invalidGrant('"envs" of "commands" are not the names of variables with texts');
  return {
    command,
    ...(cwd !== undefined && { cwd: normalizeAbsolute(cwd) }),
    ...(Object.keys(envs).length > 0 && { envs }),
    ...(stdin && { stdin }),
  };
}

function isVariables(value: unknown): value is Record<string, string> {
  return (
    isObject(value) &&
    Object.entries(value).every(
      ([name, text]) => name !== '' && !name.includes('=') && isPlainText(name) && isPlainText(text),
    )
  );
}

/** A text that arrives as what it was: the system ends it at a NUL, and half a character is replaced on the way. */
export function isPlainText(value: unknown): value is string {
  return typeof value === 'string' && !value.includes('\0') && !/\p{Surrogate}/u.test(value);
}

function shortest(command: ExactCommand): CommandGrant {
  return Object.keys(command).length === 1 ? command.command : command;
}
