import { readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Limits, Usage } from './limits.js';

/** Where the groups of one sandbox are. Of version 1, each controller has a tree of its own. */
export interface CgroupDirectories {
  readonly unified?: string;
  readonly pids?: string;
  readonly memory?: string;
  readonly cpu?: string;
  readonly cpuacct?: string;
}

const pollMs = 5;
const freezeLimitMs = 5_000;
const removeLimitMs = 2_000;
/** The period that a share of the processors is counted in, in microseconds. */
const cpuPeriod = 100_000;
const mebibyte = 2 ** 20;

/** The control groups that hold one sandbox: the kernel counts, limits and freezes it by them. */
export class Cgroup {
  readonly #at: CgroupDirectories;

  constructor(directories: CgroupDirectories) {
    this.#at = directories;
  }

  /** Takes a process in. What it starts from then on is in as well. */
  async add(pid: number): Promise<void> {
    await Promise.all(this.#all().map((directory) => writeFile(join(directory, 'cgroup.procs'), `${pid}`)));
  }

  async limit({ processes, memoryMb, cpus }: Partial<Limits>): Promise<void> {
    const { unified, pids, memory, cpu } = this.#at;
    if (pids && processes !== undefined) await writeFile(join(pids, 'pids.max'), `${processes}`);
    if (memory && memoryMb !== undefined) {
      const bytes = `${Math.round(memoryMb * mebibyte)}`;
      await writeFile(join(memory, memory === unified ? 'memory.max' : 'memory.limit_in_bytes'), bytes);
      // Swapping would make everyone wait instead. Not every kernel counts it.
      if (memory === unified) await writeFile(join(memory, 'memory.swap.max'), '0').catch(() => {});
    }
    if (cpu && cpus !== undefined) {
      const quota = Math.round(cpus * cpuPeriod);
      if (cpu === unified) await writeFile(join(cpu, 'cpu.max'), `${quota} ${cpuPeriod}`);
      else await writeFile(join(cpu, 'cpu.cfs_quota_us'), `${quota}`);
    }
  }

  /** Stops everyone at once, unnoticed by them. False where the kernel has no means to. */
  async freeze(): Promise<boolean> {
    return this.#setFrozen(true);
  }

  async thaw(): Promise<void> {
    await this.#setFrozen(false);
  }

  async #setFrozen(frozen: boolean): Promise<boolean> {
    const { unified } = this.#at;
    if (!unified) return false;
    await writeFile(join(unified, 'cgroup.freeze'), frozen ? '1' : '0');
    const until = performance.now() + freezeLimitMs;
    while ((await numberIn(join(unified, 'cgroup.events'), 'frozen')) !== Number(frozen)) {
      // A process may be deep in the kernel (a slow disk); it stops when it comes back.
      if (performance.now() > until) break;
      await delay(pollMs);
    }
    return true;
  }

  async usage(): Promise<Usage | undefined> {
    const { unified, memory, cpu, cpuacct } = this.#at;
    if (!memory || !(cpuacct || cpu)) return undefined;
    const cpuSeconds = cpuacct
      ? (await numberIn(join(cpuacct, 'cpuacct.usage'))) / 1e9
      : (await numberIn(join(cpu!, 'cpu.stat'), 'usage_usec')) / 1e6;
    const v2 = memory === unified;
    const used = await numberIn(join(memory, v2 ? 'memory.current' : 'memory.usage_in_bytes'));
    const spare = await numberIn(join(memory, 'memory.stat'), v2 ? 'inactive_file' : 'total_inactive_file');
    return { cpuSeconds, memoryBytes: Math.max(0, used - spare) };
  }

  /** Kills whoever is left in it, however deep below. */
  async kill(): Promise<void> {
    // Kernels before 5.14 have no such file; there the namespace's end has to do.
    if (this.#at.unified) await writeFile(join(this.#at.unified, 'cgroup.kill'), '1').catch(() => {});
  }

  /** Once everyone in it has ended. */
  async remove(): Promise<void> {
    await Promise.all(this.#all().map(removeGroup));
  }

  #all(): string[] {
    return [...new Set(Object.values(this.#at) as string[])];
  }
}

/** Removes the directory of a group. The kernel takes a moment to see that everyone has left. */
export async function removeGroup(directory: string): Promise<void> {
  const until = performance.now() + removeLimitMs;
  for (;;) {
    try {
      await rmdir(directory);
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return;
      if (code !== 'EBUSY' || performance.now() > until) throw error;
      await delay(pollMs);
    }
  }
}

/** The number in a file, or in the line of it that begins with a name. */
async function numberIn(path: string, name = ''): Promise<number> {
  const text = await readFile(path, 'utf8');
  const pattern = name === '' ? /^(\d+)/ : new RegExp(`^${name} (\\d+)$`, 'm');
  return Number(pattern.exec(text)?.[1] ?? 0);
}
