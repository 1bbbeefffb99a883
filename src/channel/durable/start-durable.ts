import { NotEnoughSpaceError, SandboxError } from '../../errors.js';
import type { CallOptions } from '../../transport/call-options.js';
import type { Connection } from '../../transport/connection.js';
import { processTag } from '../process-identity.js';
import { type ProcessStart, startProcess } from '../process-stream.js';
import { keepProgram } from './programs.js';
import { type DurableLog, readToEnd } from './run-program.js';

/** How much is kept of each output, in bytes. */
export const defaultMaxLogBytes: number = 64 * 1024 * 1024;
/** Before, a terminal that nobody listens to by envd's own stream was held up. */
export const durableTerminalEnvd = '0.5.19';

/** What to run, and how much of its output is kept, in bytes of each. */
export interface DurableStart extends ProcessStart {
  maxLogBytes: number;
}

/** What was started. */
export interface StartedDurable {
  pid: number;
  /** Whether the space of the log was set aside. */
  reserved: boolean;
}

/**
 * Starts a process whose output is kept. It is the child of a keeper, whose process id is what is known of it.
 * @throws {SandboxError} code `durable_unavailable`: the sandbox lacks a program that is needed, which is named.
 * @throws {NotEnoughSpaceError} the log has no place on the disk.
 */
export async function startDurable(
  connection: Connection,
  { id }: DurableLog,
  { cmd, args, envs, maxLogBytes, ...start }: DurableStart,
  options: CallOptions,
): Promise<StartedDurable> {
  // The logs are found by HOME: another one is the command's alone.
  const { HOME, ...others } = envs;
  const kind = start.pty ? 'terminal' : 'command';
  const command = [...(HOME === undefined ? [] : ['env', `HOME=${HOME}`]), cmd, ...args];
  const keeper = await startProcess(
    connection,
    {
      ...start,
      cmd: '/bin/sh',
      // Files are limited in blocks of 512 bytes.
      args: ['-c', keepProgram, `keep:${id}`, String(Math.ceil(maxLogBytes / 512) * 512), kind, ...command],
      envs: others,
      tag: start.tag ?? processTag('durable', id),
    },
    options,
    kind === 'terminal' ? 'pty.create' : 'commands.run',
  );
  const { exitCode, stdout, stderr } = await readToEnd(keeper, (text) => text.startsWith('ok '));
  keeper.cancel();
  const [word, rest = ''] = stdout.trim().split(/ (.*)/s);
  if (word === 'ok') return { pid: keeper.pid, reserved: rest === '1' };
  if (word === 'full') {
    throw new NotEnoughSpaceError(
      `The log of a durable command needs ${2 * maxLogBytes} bytes of disk, which are not there: give it less by maxLogBytes.`,
    );
  }
  if (word === 'exists') {
    throw new SandboxError(`The durable log ${id} exists.`, { code: 'durable_exists' });
  }
  throw new SandboxError(`This sandbox cannot keep the output of a durable command: ${reason(word, rest)}.`, {
    code: 'durable_unavailable',
  });

  function reason(said: string | undefined, names: string): string {
    if (said === 'missing') return `its user has no ${names.split(' ').join(', ')}`;
    if (said === 'denied') return `${names} cannot be made`;
    return `the program that keeps it ended with ${exitCode}: ${stderr}`;
  }
}
