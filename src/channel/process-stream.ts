/** Starting a process and listening to one: what commands and terminals have in common. */

import { NotFoundError, SandboxError } from '../errors.js';
import { type CallOptions, timeLimit } from '../transport/call-options.js';
import type { Connection, StreamOptions } from '../transport/connection.js';
import type { Rpc } from '../transport/rpc.js';
import { userHeaders } from '../transport/user.js';
import type { ConnectResponse, StartResponse } from '../wire/messages/process.js';
import { decodeProcessEvent, type ProcessOutput } from '../wire/process-event.js';
import type { PtySize } from './channel.js';
import { type ProcessIdentity, processTag } from './process-identity.js';

/** What to run. */
export interface ProcessStart {
  cmd: string;
  args: string[];
  envs: Record<string, string>;
  cwd?: string | undefined;
  user?: string | undefined;
  /** Whether input can be sent; without it a program reads an empty input. */
  stdin?: boolean;
  /** Gives the program a terminal of this size. */
  pty?: PtySize;
  /** How long the process may live, in milliseconds; 0 for ever. */
  timeoutMs: number;
  /** In the place of one that says nothing but which process it is. */
  tag?: string | undefined;
}

/** A process that is listened to. */
export interface ProcessStream {
  pid: number;
  /** What was started; absent where it was started elsewhere. */
  identity?: ProcessIdentity;
  /** What it prints, and its end. Leaving the loop stops listening; the process lives on. */
  output: AsyncGenerator<ProcessOutput, void, undefined>;
  /** Stops listening from elsewhere. */
  cancel(): void;
}

/** envd is asked for a sign of life this often, in seconds. */
export const keepaliveSeconds = 50;

/** And is given up for lost when it missed two, in milliseconds. */
export const maxSilenceMs = 125_000;

/** Starts a process (`Process.Start`). The returned stream is its first listener. */
export async function startProcess(
  connection: Connection,
  start: ProcessStart,
  options: CallOptions,
  what: string,
): Promise<ProcessStream> {
  const { cmd, args, envs, cwd, stdin = false, pty, tag = processTag() } = start;
  const timeoutMs = streamTimeoutMs(start.timeoutMs);
  const request = {
    process: { cmd, args, envs, ...(cwd !== undefined && { cwd }) },
    stdin,
    tag,
    ...(pty && { pty: { size: pty } }),
  };
  // The timeout is the life of the process: envd kills it then, whether somebody listens or not.
  const stream = await listen(connection, options, what, (rpc, headers, signal) =>
    rpc.process.start(request, {
      headers: { ...headers, ...userHeaders(connection, start.user) },
      signal,
      timeoutMs,
    }),
  );
  return { ...stream, identity: { tag, cmd, args, envs, cwd } };
}

/** Listens to a running process (`Process.Connect`): what it prints from now on. */
export async function connectProcess(
  connection: Connection,
  pid: number,
  options: CallOptions & { timeoutMs?: number },
  what: string,
): Promise<ProcessStream> {
  const process = { selector: { case: 'pid' as const, value: pid } };
  const timeoutMs = streamTimeoutMs(options.timeoutMs ?? 0);
  try {
    return await listen(connection, options, what, (rpc, headers, signal) =>
      rpc.process.connect({ process }, { headers, signal, timeoutMs }),
    );
  } catch (error) {
    throw namedProcess(error, pid);
  }
}

/** Gives the error of a process that is not there its own code. */
export function namedProcess(error: unknown, pid: number): unknown {
  if (!(error instanceof NotFoundError) || error.code !== 'not_found') return error;
  return processNotFound(pid, error);
}

export function processNotFound(pid: number, cause?: unknown): NotFoundError {
  return new NotFoundError(`No process ${pid} runs in the sandbox: it ended, or never was.`, {
    code: 'process_not_found',
    cause,
  });
}

/** `Connect-Timeout-Ms` takes whole milliseconds. */
function streamTimeoutMs(ms: number): number {
  return Math.ceil(timeLimit(ms, 'timeoutMs'));
}

async function listen(
  connection: Connection,
  options: CallOptions,
  what: string,
  call: (
    rpc: Rpc,
    headers: Record<string, string>,
    signal: AbortSignal,
  ) => AsyncIterable<StartResponse | ConnectResponse>,
): Promise<ProcessStream> {
  const headers = { 'keepalive-ping-interval': String(keepaliveSeconds) };
  const streamOptions: StreamOptions = { ...options, maxSilenceMs };
  const stream = await connection.stream(streamOptions, what, (rpc, signal) => call(rpc, headers, signal));
  const first = stream.first.event?.event;
  if (first?.case !== 'start') {
    stream.cancel();
    throw new SandboxError(`envd began the stream with "${first?.case}" in the place of "start".`, {
      code: 'protocol_error',
    });
  }
  return { pid: first.value.pid, output: decoded(stream.rest), cancel: stream.cancel };
}

async function* decoded(
  messages: AsyncGenerator<StartResponse | ConnectResponse, void, undefined>,
): AsyncGenerator<ProcessOutput, void, undefined> {
  for await (const message of messages) {
    const output = decodeProcessEvent(message.event);
    if (output) yield output;
  }
}
