import type { CallOptions } from '../../transport/call-options.js';
import type { Connection } from '../../transport/connection.js';
import { processTag } from '../process-identity.js';
import { type ProcessStart, type ProcessStream, startProcess } from '../process-stream.js';

/** Whose log, and of which user. */
export interface DurableLog {
  id: string;
  user?: string | undefined;
}

/** How long a program that helps may take, in milliseconds: none is left behind. */
const programMs = 30_000;

/** What starts one of the programs, as a process that no list shows. */
export function helper(
  role: string,
  { id, user }: DurableLog,
  program: string,
  args: string[],
): ProcessStart {
  return {
    cmd: '/bin/sh',
    args: ['-c', program, `${role}:${id}`, ...args],
    envs: {},
    user,
    timeoutMs: programMs,
    tag: processTag('helper'),
  };
}

/** How a program ended, and what it printed before. */
export interface ProgramResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end. */
export async function runProgram(
  connection: Connection,
  start: ProcessStart,
  options: CallOptions,
  what: string,
): Promise<ProgramResult> {
  return readToEnd(await startProcess(connection, start, options, what));
}

/** Reads a process until it ends, or until `enough` is true of what it has printed; -1 is its exit code then. */
export async function readToEnd(
  { output }: ProcessStream,
  enough: (stdout: string) => boolean = () => false,
): Promise<ProgramResult> {
  const result = { exitCode: -1, stdout: '', stderr: '' };
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  for await (const event of output) {
    if (event.type === 'end') result.exitCode = event.exitCode;
    else {
      // What a terminal prints is both.
      const type = event.type === 'stderr' ? 'stderr' : 'stdout';
      result[type] += decoders[type].decode(event.data, { stream: true });
      if (enough(result.stdout)) break;
    }
  }
  return result;
}
