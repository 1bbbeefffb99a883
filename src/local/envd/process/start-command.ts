import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import { StartRequestSchema } from '../../../wire/gen/process/process_pb.js';
import type { User } from '../users.js';
import type { ExitStatus } from './exit-status.js';
import type { ProcessTable } from './process-table.js';

/** What brings a template to life: a command that goes on running, and one that succeeds once it is up. */
export interface StartCommands {
  readonly startCmd: string | undefined;
  readonly readyCmd: string | undefined;
  /** Where both run; the default working directory when absent. */
  readonly workdir: string | undefined;
  readonly timeoutMs: number;
}

/** A start command that ended in failure, or a ready command that never succeeded, with what was printed. */
export class StartCommandError extends Error {
  override name = 'StartCommandError';
}

const pollMs = 200;
const keptOutputBytes = 8 << 10;
/** Nobody is there to be told of a silence. */
const noKeepaliveMs = 2 ** 31 - 1;

/**
 * Starts the one and resolves when the other has succeeded; without a ready command, as soon as the start command
 * was started. What was started goes on. Rejects with `StartCommandError`, or with the reason of `signal`.
 */
export async function runStartCommands(
  table: ProcessTable,
  user: User,
  commands: StartCommands,
  signal: AbortSignal,
): Promise<void> {
  const done = new AbortController();
  const limit = AbortSignal.timeout(commands.timeoutMs);
  const until = AbortSignal.any([signal, limit, done.signal]);
  const start = (command: string): Promise<Command> =>
    Command.start(table, user, command, commands.workdir, until);
  let ready: Command | undefined;
  try {
    const started = commands.startCmd ? await start(commands.startCmd) : undefined;
    if (!commands.readyCmd) return;
    const failure = started ? failed(started) : new Promise<never>(() => {});
    for (;;) {
      ready = await Promise.race([start(commands.readyCmd), failure]);
      if ((await Promise.race([ready.ended, failure])).exitCode === 0) return;
      await Promise.race([delay(pollMs, undefined, { signal: until }), failure]);
    }
  } catch (error) {
    if (!limit.aborted) throw error;
    const seconds = commands.timeoutMs / 1000;
    throw new StartCommandError(`the ready command did not succeed within ${seconds} s${printed(ready)}`);
  } finally {
    ready?.kill();
    done.abort();
  }
}

/** Rejects if the start command ends in failure; one that ends well may have started what it was to start. */
async function failed(started: Command): Promise<never> {
  const { exitCode, status } = await started.ended;
  if (exitCode === 0) return new Promise<never>(() => {});
  throw new StartCommandError(`the start command ended with ${status}${printed(started)}`);
}

function printed(command: Command | undefined): string {
  const output = command?.output.trim();
  return output ? `, and printed:\n${output}` : '';
}

/** A running command, and the end of what it has printed. */
class Command {
  readonly ended: Promise<ExitStatus>;
  readonly kill: () => void;
  #output: Buffer = Buffer.alloc(0);

  private constructor(
    { process, subscriber }: Awaited<ReturnType<ProcessTable['start']>>,
    signal: AbortSignal,
  ) {
    this.kill = () => process.io.kill('SIGKILL');
    this.ended = (async () => {
      try {
        for (;;) {
          const delivery = await subscriber.next(signal, noKeepaliveMs);
          if (delivery.type === 'end') return delivery.end;
          if (delivery.type === 'output') this.#keep(delivery.output.chunk);
        }
      } finally {
        process.unsubscribe(subscriber);
      }
    })();
    // Nobody may be waiting any more when the signal comes.
    this.ended.catch(() => {});
  }

  static async start(
    table: ProcessTable,
    user: User,
    command: string,
    cwd: string | undefined,
    signal: AbortSignal,
  ): Promise<Command> {
    const cmd = existsSync('/bin/bash') ? '/bin/bash' : '/bin/sh';
    const process = { cmd, args: ['-l', '-c', command], ...(cwd !== undefined && { cwd }) };
    const request = create(StartRequestSchema, { process, stdin: false });
    return new Command(await table.start(request, user, undefined), signal);
  }

  get output(): string {
    return this.#output.toString('utf8');
  }

  #keep(chunk: Uint8Array): void {
    this.#output = Buffer.concat([this.#output, chunk]).subarray(-keptOutputBytes);
  }
}
