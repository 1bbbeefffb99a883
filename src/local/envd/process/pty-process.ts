import { chownSync, closeSync, constants, openSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ReadStream } from 'node:tty';
import { errnoOf, reasonOf } from '../errors.js';
import { DrainMarker } from './drain-marker.js';
import { type ExitStatus, endedBySignal, exitedWith } from './exit-status.js';
import { type PtyBinding, ptyBinding } from './pty-binding.js';
import { readAvailable } from './read-available.js';
import { type Launch, type OnOutput, openMasters, type Spawned, wrapped } from './spawned.js';

/** Largest piece of terminal output in one event. */
const chunkBytes = 16 << 10;
/** How often a full terminal is tried again. */
const retryMs = 5;
/** A terminal that takes nothing and gives nothing for this long is not going to (output stopped by Ctrl-S). */
const silentMs = 1000;

/**
 * Undoes what node-pty sets: any key would let stopped output go on, and byte 255 would end a line. That it also
 * tells the terminal of UTF-8, so that a whole character is erased, stays.
 */
const asTheKernelMakesIt = "command -p stty eol '^-' eol2 '^-' -ixany -imaxbel -brkint";

export interface TerminalSize {
  readonly cols: number;
  readonly rows: number;
}

/** Starts a process as the leader of a session on a terminal of its own. Throws when it cannot be started. */
export function spawnPty(launch: Launch, size: TerminalSize, onOutput: OnOutput): Spawned {
  const { binding, helperPath } = ptyBinding();
  const { file, args, ids } = wrapped(launch, asTheKernelMakesIt);
  const env = Object.entries(launch.env).map(([name, value]) => `${name}=${value}`);
  let onExit!: (status: ExitStatus) => void;
  const exit = new Promise<ExitStatus>((resolve) => {
    onExit = resolve;
  });
  const { cols, rows } = to16Bit(size);
  const terminal = forked(() =>
    binding.fork(
      file,
      args,
      env,
      launch.cwd,
      cols,
      rows,
      ids?.uid ?? -1,
      ids?.gid ?? -1,
      true,
      helperPath,
      (code, signal) => onExit(signal > 0 ? endedBySignal(signal) : exitedWith(code)),
    ),
  );
  giveTerminal(terminal.pty, launch.credentials?.uid);
  return new PtyProcess(binding, terminal, exit, onOutput);
}

/** node-pty does not say which of the limits was reached. */
function forked<T>(fork: () => T): T {
  try {
    return fork();
  } catch (error) {
    throw new Error(`no more terminals or processes can be started: ${reasonOf(error)}`, { cause: error });
  }
}

/**
 * As login(1) does, so that the user can open it by its name. Two more programs have to be loaded before the
 * user's own, so it comes in time.
 */
function giveTerminal(path: string, uid: number | undefined): void {
  if (uid !== undefined) chownSync(path, uid, -1);
}

function to16Bit(size: TerminalSize): TerminalSize {
  return { cols: size.cols & 0xffff, rows: size.rows & 0xffff };
}

class PtyProcess implements Spawned {
  readonly pid: number;
  readonly ended: Promise<ExitStatus>;
  readonly #binding: PtyBinding;
  readonly #master: number;
  readonly #reader: ReadStream;
  readonly #onOutput: OnOutput;
  /**
   * The other side of the terminal, held open: without it Node 20 and 22 drop what is unread when the program
   * ends, and while it is open the master's descriptor cannot become another file's.
   */
  #slave: number | undefined;
  #marker: DrainMarker | undefined;
  #exited = false;
  #markerSeen = false;
  #lastRead = 0;
  #writing: Promise<void> = Promise.resolve();
  #abandon!: () => void;
  readonly #abandoned = new Promise<void>((resolve) => {
    this.#abandon = resolve;
  });

  constructor(
    binding: PtyBinding,
    terminal: { fd: number; pid: number; pty: string },
    exit: Promise<ExitStatus>,
    onOutput: OnOutput,
  ) {
    this.#binding = binding;
    this.#master = terminal.fd;
    openMasters.add(terminal.fd);
    this.pid = terminal.pid;
    this.#onOutput = onOutput;
    this.#slave = openSync(terminal.pty, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
    this.#reader = new ReadStream(terminal.fd);
    this.#reader.on('data', (chunk: Buffer) => this.#read(chunk));
    // EIO: nobody holds the terminal open any more. 'close' follows.
    this.#reader.on('error', () => {});
    this.ended = this.#end(exit);
  }

  #read(chunk: Buffer): void {
    this.#lastRead = performance.now();
    if (!this.#marker || this.#markerSeen) {
      this.#emit(chunk);
      return;
    }
    const { output, seen } = this.#marker.filter(chunk);
    this.#markerSeen = seen;
    this.#emit(output);
  }

  #emit(output: Buffer): void {
    for (let at = 0; at < output.length; at += chunkBytes) {
      this.#onOutput('pty', output.subarray(at, at + chunkBytes));
    }
  }

  async #end(exit: Promise<ExitStatus>): Promise<ExitStatus> {
    const closed = new Promise<void>((resolve) => this.#reader.once('close', () => resolve()));
    const status = await exit;
    this.#exited = true;
    await Promise.race([this.#abandoned, this.#drained().then(() => closed)]);
    if (!this.#reader.destroyed && !this.#reader.isPaused()) this.#read(readAvailable(this.#master));
    this.#release();
    this.#reader.destroy();
    await closed;
    openMasters.delete(this.#master);
    return status;
  }

  /** Everything the program wrote has been read; what others still write to the terminal goes on. */
  async #drained(): Promise<void> {
    const marker = new DrainMarker();
    this.#marker = marker;
    this.#lastRead = performance.now();
    let unwritten = marker.bytes;
    while (!this.#markerSeen) {
      // Killed meanwhile.
      if (this.#slave === undefined) return;
      if (unwritten.length > 0) {
        const written = tryWrite(this.#slave, unwritten);
        if (written === 'broken') break;
        unwritten = unwritten.subarray(written);
      }
      if (!this.#reader.isPaused() && performance.now() - this.#lastRead > silentMs) break;
      await delay(retryMs);
    }
    // Given up: what was kept back is the program's, unless it may be a part of the marker.
    if (unwritten.length === marker.bytes.length) this.#emit(marker.flush());
    this.#markerSeen = true;
    this.#release();
  }

  #release(): void {
    if (this.#slave !== undefined) closeSync(this.#slave);
    this.#slave = undefined;
  }

  pause(): void {
    this.#reader.pause();
  }

  resume(): void {
    this.#reader.resume();
  }

  kill(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.#abandon();
    // 0, -1 and 1 would mean groups, everyone and init.
    if (this.#exited || this.pid <= 1) return;
    try {
      process.kill(this.pid, signal);
    } catch (error) {
      // Ended in this very moment.
      if (errnoOf(error) !== 'ESRCH') throw error;
    }
  }

  async writePty(data: Uint8Array): Promise<void> {
    const turn = this.#writing.then(() => this.#writeAll(data));
    this.#writing = turn.catch(() => {});
    await turn;
  }

  async #writeAll(data: Uint8Array): Promise<void> {
    let rest = data;
    while (rest.length > 0) {
      const written = this.#slave === undefined ? 'broken' : tryWrite(this.#master, rest);
      if (written === 'broken') {
        throw new Error(`error writing to tty of process '${this.pid}': ${reasonOf({ code: 'EPIPE' })}`);
      }
      rest = rest.subarray(written);
      if (rest.length > 0) await delay(retryMs);
    }
  }

  async writeStdin(): Promise<void> {
    throw new Error('tty assigned to process — input should be written to the pty, not the stdin');
  }

  async closeStdin(): Promise<void> {
    throw new Error('cannot close stdin for PTY process — send Ctrl+D (0x04) instead');
  }

  resize(cols: number, rows: number): void {
    if (this.#slave === undefined) throw new Error('tty is closed');
    const size = to16Bit({ cols, rows });
    this.#binding.resize(this.#master, size.cols, size.rows);
  }
}

/** How many bytes a terminal took; none when it is full. */
function tryWrite(fd: number, data: Uint8Array): number | 'broken' {
  try {
    return writeSync(fd, data);
  } catch (error) {
    return errnoOf(error) === 'EAGAIN' ? 0 : 'broken';
  }
}
