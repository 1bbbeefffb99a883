import { execFile } from 'node:child_process';
import { closeSync, constants, mkdirSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { errnoOf } from '../errors.js';

/** The two ends of a pipe, as file descriptors. */
export interface PipeEnds {
  /** Non-blocking, for this process. */
  readonly own: number;
  /** Blocking, for the child. */
  readonly child: number;
}

const batch = 64;
const run = promisify(execFile);

/**
 * Real pipes for the children. Node's `stdio: 'pipe'` makes sockets, and a socket cannot be opened through
 * `/dev/stdout` or `/dev/stderr`, which shell scripts do all the time. Node has no `pipe(2)`, so named pipes are
 * made in batches and lose their name as soon as both ends are open.
 */
export class FifoPool {
  readonly #directory: string;
  readonly #ready: string[] = [];
  #made = 0;
  #filling: Promise<void> | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Makes the first batch ahead of the first process. */
  async fill(): Promise<void> {
    this.#filling ??= this.#makeBatch().finally(() => {
      this.#filling = undefined;
    });
    await this.#filling;
  }

  /** A pipe that the child writes to. */
  async output(): Promise<PipeEnds> {
    return this.#open((path, open) => {
      const own = open(path, constants.O_RDONLY | constants.O_NONBLOCK);
      return { own, child: open(path, constants.O_WRONLY) };
    });
  }

  /** A pipe that the child reads from. */
  async input(): Promise<PipeEnds> {
    return this.#open((path, open) => {
      // Neither end can be opened in blocking mode before the other one is; both at once can.
      const both = open(path, constants.O_RDWR);
      const child = open(path, constants.O_RDONLY);
      const own = open(path, constants.O_WRONLY | constants.O_NONBLOCK);
      closeSync(both);
      return { own, child };
    });
  }

  async #open(openEnds: (path: string, open: typeof openSync) => PipeEnds): Promise<PipeEnds> {
    for (;;) {
      while (this.#ready.length === 0) await this.fill();
      const path = this.#ready.pop()!;
      if (this.#ready.length < batch / 4) void this.fill().catch(() => {});
      const opened: number[] = [];
      const open: typeof openSync = (...args) => {
        const fd = openSync(...args);
        opened.push(fd);
        return fd;
      };
      try {
        return openEnds(path, open);
      } catch (error) {
        for (const fd of opened) closeSync(fd);
        // Root has emptied the directory: others are made.
        if (errnoOf(error) !== 'ENOENT') throw error;
      } finally {
        rmSync(path, { force: true });
      }
    }
  }

  async #makeBatch(): Promise<void> {
    this.#makeDirectory();
    const paths = Array.from({ length: batch }, () => join(this.#directory, `pipe-${this.#made++}`));
    // Nobody else can enter the directory, and once they are open only those who hold them reach them: by
    // /dev/stdout and the like, which must not depend on whom the program runs as.
    await run('mkfifo', ['-m', '666', ...paths]);
    this.#ready.push(...paths);
  }

  /** Not those above it: without a namespace they would come back after whoever ended the sandbox has removed them. */
  #makeDirectory(): void {
    try {
      mkdirSync(this.#directory, { mode: 0o700 });
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
  }
}
