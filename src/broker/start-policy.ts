/** What a page may start, and as what. */

import type { ProcessConfig, StartRequest } from '../wire/messages/process.js';
import type { ExactCommand } from '../wire/session.js';
import { boundCommand, type CommandGrant, commandKey, isPlainText } from './exact-command.js';
import type { FullGrant } from './grant.js';
import { invalidRequest, notGranted } from './refusals.js';
import { normalizeAbsolute } from './sandbox-path.js';

/** What Linux takes of one argument or variable. More makes the start fail in words that tell nothing. */
const maxTextBytes = 128 * 1024 - 1;

/** What a start is: a terminal, any command, or one that is listed. */
export type StartOf = 'pty' | 'run' | ExactCommand;

/** Judges a start. Rejects what the session may not, and what would not reach the program as it was sent. */
export function startOf({ pty, process }: StartRequest, grant: FullGrant): StartOf {
  if (!process?.cmd) throw invalidRequest('There is no command to start.');
  requireTexts(process);
  if (pty) {
    if (grant.pty !== 'write') throw notGranted('open a terminal');
    return 'pty';
  }
  if (grant.commands === 'run') return 'run';
  if (grant.commands === 'none') throw notGranted('run commands');
  const command = listed(process, grant.commands);
  if (!command) throw notGranted('run this command, or not with these arguments, variables or directory');
  return command;
}

/** Makes a start of an exact command what was granted, of which nothing is the page's but whether it wants to type. */
export function bindStart(message: StartRequest, { command, cwd, envs = {}, stdin }: ExactCommand): void {
  message.process = {
    cmd: shell,
    args: [...shellFlags, command],
    envs: { ...envs },
    ...(cwd !== undefined && { cwd }),
  };
  // Absent means open.
  message.stdin = stdin === true && message.stdin !== false;
}

const shell = '/bin/bash';
const shellFlags: readonly string[] = ['-l', '-c'];

/** The command of a list that is asked for: with the same line, directory and variables, in the one shell. */
function listed(
  { cmd, args, envs, cwd = '' }: ProcessConfig,
  commands: readonly CommandGrant[],
): ExactCommand | undefined {
  const [login, flag, command] = args;
  if (cmd !== shell || args.length !== 3 || login !== shellFlags[0] || flag !== shellFlags[1])
    return undefined;
  if (command === undefined || (cwd !== '' && !cwd.startsWith('/'))) return undefined;
  const key = commandKey({ command, envs, ...(cwd !== '' && { cwd: normalizeAbsolute(cwd) }) });
  return commands.map(boundCommand).find((granted) => commandKey(granted) === key);
}

function requireTexts({ cmd, args, envs, cwd = '' }: ProcessConfig): void {
  const variables = Object.entries(envs).map(([name, value]) => `${name}=${value}`);
  for (const text of [cmd, cwd, ...args, ...variables]) {
    if (!isPlainText(text)) {
      throw invalidRequest(
        'A command, its arguments, variables and directory have no NUL and are valid Unicode.',
      );
    }
    if (new TextEncoder().encode(text).length > maxTextBytes) {
      throw invalidRequest(
        `An argument or variable has more than ${maxTextBytes} bytes; write it to the input.`,
      );
    }
  }
  if (Object.keys(envs).some((name) => name === '' || name.includes('='))) {
    throw invalidRequest('The name of a variable is empty or has an "=".');
  }
}
