import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { reasonOf } from '../errors.js';
import { type ExitStatus, endedBySignal, exitedWith } from './exit-status.js';
import type { FifoPool, PipeEnds } from './fifo-pool.js';
import { type Launch, type OnOutput, type Spawned, wrapped } from './spawned.js';

/** Largest piece of stdout or stderr in one event. */
const chunkBytes = 32 << 10;
/** After a kill: how long what the process wrote before may still arrive while others hold its output open. */
const abandonGraceMs = 100;

/** Starts a process on pipes. `stdin: false` gives it `/dev/null`. Rejects when it cannot be started at all. */
export async function spawnPiped(
  launch: Launch,
  stdin: boolean,
  pool: FifoPool,
  onOutput: OnOutput,
): Promise<Spawned> {
  const stdout = await pool.output();
  const stderr = await pool.output();
  const input = stdin ? await pool.input() : undefined;
  const { file, args } = wrapped(launch);
  const child = spawn(file, args, {
    cwd: launch.cwd,
    env: launch.env,
    stdio: [input?.child ?? 'ignore', stdout.child, stderr.child],
    // A session of its own: `kill 0` in a script must not reach envd.
    detached: true,
  });
  const exit = new Promise<ExitStatus>((resolve) => {
    child.once('exit', (code, signal) => resolve(code === null ? endedBySignal(signal!) : exitedWith(code)));
  });
  for (const pipe of [stdout, stderr, input]) if (pipe) closeSync(pipe.child);
  if (child.pid === undefined) {
    for (const pipe of [stdout, stderr, input]) if (pipe) closeSync(pipe.own);
    throw await new Promise<Error>((resolve) => child.once('error', resolve));
  }
  // Later errors would be failed kills, which nobody asks of this object.
  child.on('error', () => {});
  return new PipedProcess(child, exit, stdout, stderr, input, onOutput);
}

class PipedProcess implements Spawned {
  readonly pid: number;
  readonly ended: Promise<ExitStatus>;
  readonly #child: ChildProcess;
  readonly #readers: readonly Socket[];
  #stdin: Socket | undefined;
  #abandon!: () => void;
  readonly #abandoned = new Promise<void>((resolve) => {
    this.#abandon = resolve;
  });

  constructor(
    child: ChildProcess,
    exit: Promise<ExitStatus>,
    stdout: PipeEnds,
    stderr: PipeEnds,
    stdin: PipeEnds | undefined,
    onOutput: OnOutput,
  ) {
    this.#child = child;
    this.pid = child.pid!;
    this.#readers = [reader(stdout, 'stdout', onOutput), reader(stderr, 'stderr', onOutput)];
    if (stdin) {
      this.#stdin = new Socket({ fd: stdin.own, readable: false, writable: true });
      // A write that fails reports it to its own caller.
      this.#stdin.on('error', () => {});
    }
    this.ended = this.#end(exit);
  }

  async #end(exit: Promise<ExitStatus>): Promise<ExitStatus> {
    const closed = Promise.all(
      this.#readers.map((socket) => new Promise<void>((resolve) => socket.once('close', () => resolve()))),
    );
    const status = await exit;
    const abandoned = this.#abandoned.then(
      () => new Promise<void>((resolve) => setTimeout(resolve, abandonGraceMs)),
    );
    await Promise.race([closed, abandoned]);
    for (const socket of this.#readers) socket.destroy();
    this.#stdin?.destroy();
    return status;
  }

  pause(): void {
    for (const socket of this.#readers) socket.pause();
  }

  resume(): void {
    for (const socket of this.#readers) socket.resume();
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
        reject(new Error(`error writing to stdin of process '${this.pid}': ${reasonOf(error)}`));
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

function reader(pipe: PipeEnds, kind: 'stdout' | 'stderr', onOutput: OnOutput): Socket {
  const socket = new Socket({ fd: pipe.own, readable: true, writable: false });
  socket.on('data', (chunk: Uint8Array) => {
    for (let at = 0; at < chunk.length; at += chunkBytes) {
      onOutput(kind, chunk.subarray(at, at + chunkBytes));
    }
  });
  // The pipe is gone; 'close' follows, and that is what is waited for.
  socket.on('error', () => {});
  return socket;
}
