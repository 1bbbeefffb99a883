import { NotFoundError, SandboxError } from '../../errors.js';
import type { CallOptions } from '../../transport/call-options.js';
import type { Connection } from '../../transport/connection.js';
import { statusProgram } from './programs.js';
import { type DurableLog, helper, runProgram } from './run-program.js';

/** What is known of a durable command. */
export interface DurableStatus {
  durableId: string;
  kind: 'command' | 'terminal';
  /** The process id of what runs it, as `list` has it. */
  pid: number;
  command: string;
  startedAt: Date;
  /** How much of each output was kept so far, in bytes. */
  size: { stdout: number; stderr: number };
  /** How much is kept at most, in bytes of each output. */
  maxLogBytes: number;
  /** Whether that space was set aside: otherwise a full disk can end the log earlier. */
  reserved: boolean;
  /** Whether output was thrown away. */
  full: { stdout: boolean; stderr: boolean };
  running: boolean;
  /** Once it ended: the exit status, -1 when a signal ended it; absent where nobody knows. */
  exitCode?: number;
  /** The same in words, for an end other than exit status 0. */
  error?: string;
}

/** Go's words, which envd uses, where they are not the signal's name. */
const signalWords: Record<string, string> = {
  ABRT: 'aborted',
  BUS: 'bus error',
  FPE: 'floating point exception',
  HUP: 'hangup',
  ILL: 'illegal instruction',
  INT: 'interrupt',
  KILL: 'killed',
  PIPE: 'broken pipe',
  SEGV: 'segmentation fault',
  TERM: 'terminated',
};

/** Asks what is known of one. @throws {NotFoundError} code `process_not_found`. */
export async function readStatus(
  connection: Connection,
  log: DurableLog,
  options: CallOptions,
): Promise<DurableStatus> {
  const [status] = await listStatus(connection, log, [log.id], options);
  if (!status) throw durableNotFound(log.id);
  return status;
}

/** Asks what is known of some, or of all. */
export async function listStatus(
  connection: Connection,
  log: DurableLog,
  ids: string[],
  options: CallOptions,
): Promise<DurableStatus[]> {
  const program = helper('status', log, statusProgram, ids);
  const { exitCode, stdout, stderr } = await runProgram(connection, program, options, 'durable.status');
  if (exitCode !== 0) {
    throw new SandboxError(`The program that looks at durable logs ended with ${exitCode}: ${stderr}`, {
      code: 'durable_unavailable',
    });
  }
  return stdout.split('\0').filter(Boolean).map(parseStatus);
}

export function durableNotFound(id: string): NotFoundError {
  return new NotFoundError(
    `No durable command ${id}: its log was removed, it never was, or it is of another Linux user.`,
    { code: 'process_not_found' },
  );
}

function parseStatus(record: string): DurableStatus {
  const [line = '', ...command] = record.split('\n');
  const [id = '', kind, pid, cap, reserved, since, out, err, outFull, errFull, code, signal] =
    line.split(' ');
  return {
    durableId: id,
    kind: kind === 'terminal' ? kind : 'command',
    pid: Number(pid),
    command: command.join('\n'),
    startedAt: new Date(Number(since) * 1000),
    size: { stdout: Number(out), stderr: Number(err) },
    maxLogBytes: Number(cap),
    reserved: reserved === '1',
    full: { stdout: outFull === 'full', stderr: errFull === 'full' },
    running: code === 'running',
    ...endOf(code, signal),
  };
}

function endOf(code = '', signal = ''): Pick<DurableStatus, 'exitCode' | 'error'> {
  if (!/^\d+$/.test(code)) return {};
  if (signal) return { exitCode: -1, error: `signal: ${signalWords[signal] ?? signal.toLowerCase()}` };
  const exitCode = Number(code);
  return { exitCode, ...(exitCode !== 0 && { error: `exit status ${exitCode}` }) };
}
