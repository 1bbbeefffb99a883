import { availableParallelism } from 'node:os';
import { Turns } from '../os/turns.js';
import { EnvdProcess } from './envd-process.js';
import type { Isolation } from './isolation.js';
import type { Limits } from './limits.js';
import { Machine } from './machine.js';
import { MachineFiles } from './machine-files.js';
import type { Workspace } from './workspace.js';

/** What a new machine is to have; empty homes and the host's programs by default. */
export interface MachineRequest {
  /** Files to begin with, which from then on are the machine's own. */
  readonly files?: MachineFiles;
  /** A tree of the host whose programs are shown instead of the host's own. */
  readonly image?: string;
  /** Whether it is to reach the host's network, where that is possible; false leaves it its own loopback. Default true. */
  readonly internet?: boolean;
  /** Other limits than the server's. */
  readonly limits?: Partial<Limits>;
}

/** What files a machine is to begin with. */
export interface FilesRequest {
  /** A directory of the host, to be copied; none, for an empty one. */
  readonly from?: string;
  /** Where, relative to `/`; made where it is missing. */
  readonly to: string;
}

/** How many machines wait to be taken. Starting one leaves a processor idle now and then, which the other uses. */
export const spareCount = 2;

/**
 * Where machines come from. A few with nothing special are kept running ahead of need, so that creating a sandbox
 * does not wait for a start.
 */
export class MachineSource {
  readonly #isolation: Isolation;
  readonly #workspace: Workspace;
  /** Each keeps a processor busy. All at once would take each other beyond the time that a start may take. */
  readonly #turns = new Turns(2 * availableParallelism());
  /** Those that nobody has yet, the oldest first. */
  readonly #spares: Promise<Machine | undefined>[];
  #closed = false;

  /** `first` is a machine of this isolation that already runs. */
  constructor(isolation: Isolation, workspace: Workspace, first: Machine) {
    this.#isolation = isolation;
    this.#workspace = workspace;
    this.#spares = [Promise.resolve(first)];
  }

  /** A machine that nobody else has. */
  async take(request: MachineRequest = {}): Promise<Machine> {
    const machine = await this.#any(request);
    try {
      if (request.limits) await machine.limit(request.limits);
      if (request.internet === false) await machine.closeInternet();
      return machine;
    } catch (error) {
      // Files that were given are not the machine's to remove.
      if (request.files) await machine.stop();
      else await machine.close();
      throw error;
    }
  }

  /** Files to begin with: a new `/` with that directory in it, which belongs to `user`. */
  async makeFiles({ from, to }: FilesRequest): Promise<MachineFiles> {
    return MachineFiles.withDirectory(this.#workspace, to, from);
  }

  async #any(request: MachineRequest): Promise<Machine> {
    if (request.files || request.image !== undefined) return this.#start(request);
    while (this.#spares.length <= spareCount) this.#spares.push(this.#startSpare());
    const machine = await this.#spares.shift();
    if (machine?.running) return machine;
    await machine?.close();
    return this.#start({});
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#spares.map(async (spare) => (await spare)?.close()));
  }

  async #startSpare(): Promise<Machine | undefined> {
    // Whoever would have taken it starts another, and is told when that fails as well.
    return this.#start({}).catch(() => undefined);
  }

  async #start(request: MachineRequest): Promise<Machine> {
    return this.#turns.run(async () => {
      if (this.#closed) throw new Error('the local server is closed');
      return startMachine(this.#isolation, this.#workspace, request);
    });
  }
}

/** Starts one machine. Nothing is left of it when that fails, but for files that it was given. */
export async function startMachine(
  isolation: Isolation,
  workspace: Workspace,
  { files: given, image, limits }: MachineRequest,
): Promise<Machine> {
  const files = given ?? (await MachineFiles.create(workspace));
  try {
    const launch = await isolation.launch({
      root: files.use(),
      ...(image !== undefined && { image }),
      ...(limits && { limits }),
    });
    return new Machine(await EnvdProcess.start(launch), files);
  } catch (error) {
    files.rest();
    if (!given) await files.remove();
    throw error;
  }
}
