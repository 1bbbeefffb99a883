import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { reasonOf } from '../errors.js';
import { type ExitStatus, endedBySignal, exitedWith } from './exit-status.js';
import type { FifoPool, PipeEnds } from './fifo-pool.js';
import { OutputPipe } from './output-pipe.js';
import { type Launch, type OnOutput, type Spawned, wrapped } from './spawned.js';

/** Starts a process on pipes. `stdin: false` gives it `/dev/null`. Rejects when it cannot be started at all. */
export async function spawnPiped(
  launch: Launch,
  stdin: boolean,
  pool: FifoPool,
  onOutput: OnOutput,
): Promise<Spawned> {
  const pipes: PipeEnds[] = [];
  const opened = async (ends: Promise<PipeEnds>): Promise<PipeEnds> => {
    pipes.push(await ends);
    return ends;
  };
  try {
    const stdout = await opened(pool.output());
    const stderr = await opened(pool.output());
    const input = stdin ? await opened(pool.input()) : undefined;
    const child = await spawned(launch, [input?.child ?? 'ignore', stdout.child, stderr.child]);
    return new PipedProcess(child, { stdout, stderr, input }, onOutput);
  } catch (error) {
    for (const pipe of pipes) closeSync(pipe.own);
    throw error;
  } finally {
    for (const pipe of pipes) closeSync(pipe.child);
  }
}

async function spawned(launch: Launch, stdio: StdioOptions): Promise<ChildProcess> {
  const { file, args, ids } = wrapped(launch);
  // A session of its own: `kill 0` in a script must not reach envd.
  const child = spawn(file, args, { cwd: launch.cwd, env: launch.env, stdio, detached: true, ...ids });
  if (child.pid === undefined) throw await new Promise<Error>((resolve) => child.once('error', resolve));
  // Later errors would be failed kills, which nobody asks of this object.
  child.on('error', () => {});
  return child;
}

interface Pipes {
  readonly stdout: PipeEnds;
  readonly stderr: PipeEnds;
  readonly input: PipeEnds | undefined;
}

class PipedProcess implements Spawned {
  readonly pid: number;
  readonly ended: Promise<ExitStatus>;
  readonly #child: ChildProcess;
  readonly #outputs: readonly OutputPipe[];
  #stdin: Socket | undefined;
  #abandon!: () => void;
  readonly #abandoned = new Promise<void>((resolve) => {
    this.#abandon = resolve;
  });

  constructor(child: ChildProcess, { stdout, stderr, input }: Pipes, onOutput: OnOutput) {
    this.#child = child;
    this.pid = child.pid!;
    this.#outputs = [
      new OutputPipe(stdout.own, (chunk) => onOutput('stdout', chunk)),
      new OutputPipe(stderr.own, (chunk) => onOutput('stderr', chunk)),
    ];
    if (input) {
      this.#stdin = new Socket({ fd: input.own, readable: false, writable: true });
      // A write that fails reports it to its own caller.
      this.#stdin.on('error', () => {});
    }
    this.ended = this.#end();
  }

  async #end(): Promise<ExitStatus> {
    const closed = Promise.all(this.#outputs.map((output) => output.closed));
    const status = await new Promise<ExitStatus>((resolve) => {
      this.#child.once('exit', (code, signal) => {
        resolve(code === null ? endedBySignal(signal!) : exitedWith(code));
      });
    });
    await Promise.race([closed, this.#abandoned]);
    for (const output of this.#outputs) output.finish();
    this.#stdin?.destroy();
    return status;
  }

  pause(): void {
    for (const output of this.#outputs) output.socket.pause();
  }

  resume(): void {
    for (const output of this.#outputs) output.socket.resume();
  }

  kill(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.#abandon();
    this.#child.kill(signal);
  }

  async writeStdin(data: Uint8Array): Promise<void> {
    const stdin = this.#stdin;
    if (!stdin) throw new Error('stdin not enabled or closed');
    await new Promise<void>((resolve, reject) => {
      stdin.write(data, (error) => {
        if (!error) return resolve();
        // The first write that failed has destroyed it.
        const reason = stdin.destroyed ? reasonOf({ code: 'EPIPE' }) : reasonOf(error);
        reject(new Error(`error writing to stdin of process '${this.pid}': ${reason}`));
      });
    });
  }

  async closeStdin(): Promise<void> {
    const stdin = this.#stdin;
    this.#stdin = undefined;
    stdin?.end(() => stdin.destroy());
  }

  async writePty(): Promise<void> {
    throw new Error('tty not assigned to process — input should be written to the stdin, not the tty');
  }

  resize(): void {
    throw new Error('tty not assigned to process');
  }
}
