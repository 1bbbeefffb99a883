import { Code, ConnectError } from '@connectrpc/connect';
import type { ProcessSelector, StartRequest } from '../../../wire/gen/process/process_pb.js';
import type { SandboxContext } from '../context.js';
import { errnoOf, reasonOf } from '../errors.js';
import type { User } from '../users.js';
import type { ExitStatus } from './exit-status.js';
import type { FifoPool } from './fifo-pool.js';
import { launchOf, requireStartable } from './launch.js';
import { spawnPiped } from './piped-process.js';
import { spawnPty } from './pty-process.js';
import { RunningProcess } from './running-process.js';
import type { Launch, Spawned } from './spawned.js';
import type { Subscriber } from './subscriber.js';

/** How long the end of a process is told to those who connect too late. */
const retainMs = 30_000;

interface EndedProcess {
  readonly pid: number;
  readonly tag: string | undefined;
  readonly end: ExitStatus;
}

/** Every process that envd started, by pid and by tag. */
export class ProcessTable {
  readonly #context: SandboxContext;
  readonly #pool: FifoPool;
  readonly #running = new Map<number, RunningProcess>();
  readonly #ended = new Map<number, EndedProcess>();

  constructor(context: SandboxContext, pool: FifoPool) {
    this.#context = context;
    this.#pool = pool;
  }

  list(): RunningProcess[] {
    return [...this.#running.values()];
  }

  /**
   * Starts a process, with its first subscriber attached before any output is read. After `timeoutMs` it is
   * killed, connected or not; `undefined` means never.
   */
  async start(
    request: StartRequest,
    user: User,
    timeoutMs: number | undefined,
  ): Promise<{ process: RunningProcess; subscriber: Subscriber }> {
    const config = request.process;
    if (!config) throw new ConnectError('process is required', Code.InvalidArgument);
    const launch = await launchOf(config, user, this.#context);
    const process = new RunningProcess(config, request.tag);
    const spawned = await this.#spawn(request, launch, process);
    const ended = process.run(spawned);
    const subscriber = process.subscribe();
    this.#running.set(process.pid, process);
    this.#forget(process.pid, process.tag);
    const timer =
      timeoutMs === undefined ? undefined : setTimeout(() => process.io.kill('SIGKILL'), timeoutMs);
    void ended.then((end) => {
      clearTimeout(timer);
      this.#retain(process, end);
    });
    return { process, subscriber };
  }

  /** Kills every process with its group: each was made the leader of one. */
  killAll(): void {
    for (const { pid } of this.#running.values()) {
      try {
        if (pid > 1) process.kill(-pid, 'SIGKILL');
      } catch {
        // Ended meanwhile.
      }
    }
  }

  /** The living process, or `not_found`. */
  running(selector: ProcessSelector | undefined): RunningProcess {
    return this.#find(selector, this.#running.values()) ?? notFound(selector);
  }

  /** The living process or, for a while, how it ended; else `not_found`. */
  runningOrEnded(selector: ProcessSelector | undefined): RunningProcess | EndedProcess {
    return (
      this.#find(selector, this.#running.values()) ??
      this.#find(selector, this.#ended.values()) ??
      notFound(selector)
    );
  }

  #find<T extends { readonly pid: number; readonly tag: string | undefined }>(
    selector: ProcessSelector | undefined,
    among: Iterable<T>,
  ): T | undefined {
    const wanted = selector?.selector;
    if (!wanted?.case) {
      throw new ConnectError('invalid process selector: neither pid nor tag is set', Code.Unimplemented);
    }
    for (const one of among) {
      if (wanted.case === 'pid' ? one.pid === wanted.value : one.tag === wanted.value) return one;
    }
    return undefined;
  }

  async #spawn(request: StartRequest, launch: Launch, process: RunningProcess): Promise<Spawned> {
    try {
      await requireStartable(launch);
      if (!request.pty) {
        return await spawnPiped(launch, request.stdin ?? true, this.#pool, process.onOutput);
      }
      const { cols = 0, rows = 0 } = request.pty.size ?? {};
      return spawnPty(launch, { cols, rows }, process.onOutput);
    } catch (error) {
      const command = [launch.cmd, ...launch.args].join(' ');
      const { cols = 0, rows = 0 } = request.pty?.size ?? {};
      const what = request.pty
        ? `pty with command '${command}' in dir '${launch.cwd}' with '${cols}' cols and '${rows}' rows`
        : `process '${command}'`;
      throw new ConnectError(
        `error starting ${what}: ${errnoOf(error) ? 'fork/exec /bin/sh: ' : ''}${reasonOf(error)}`,
        Code.InvalidArgument,
        undefined,
        undefined,
        error,
      );
    }
  }

  #retain(process: RunningProcess, end: ExitStatus): void {
    if (this.#running.get(process.pid) === process) this.#running.delete(process.pid);
    const ended = { pid: process.pid, tag: process.tag, end };
    this.#ended.set(ended.pid, ended);
    setTimeout(() => {
      if (this.#ended.get(ended.pid) === ended) this.#ended.delete(ended.pid);
    }, retainMs).unref();
  }

  /** A new process takes the pid and the tag: nobody may be told its predecessor's end for its own. */
  #forget(pid: number, tag: string | undefined): void {
    this.#ended.delete(pid);
    if (tag === undefined) return;
    for (const ended of this.#ended.values()) if (ended.tag === tag) this.#ended.delete(ended.pid);
  }
}

function notFound(selector: ProcessSelector | undefined): never {
  const wanted = selector?.selector;
  const name = wanted?.case === 'tag' ? `tag ${wanted.value}` : `pid ${wanted?.value}`;
  throw new ConnectError(`process with ${name} not found`, Code.NotFound);
}
