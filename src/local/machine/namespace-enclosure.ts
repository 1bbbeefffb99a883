import type { ChildProcess } from 'node:child_process';
import { type FileHandle, open, writeFile } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import { allEnded, childrenOf } from '../os/process-end.js';
import { continueAll, stopAll, treeOf } from '../os/stop-tree.js';
import { usageOf } from '../os/tree-usage.js';
import type { Cgroup } from './cgroup.js';
import type { Enclosure } from './enclosure.js';
import { exitOf } from './exit-of.js';
import { type HostIds, type Owner, rangeLength } from './host-ids.js';
import { type Internet, resolverSettings } from './internet.js';
import type { InternetAccess } from './internet-access.js';
import type { Limits, Usage } from './limits.js';

/** How long the kernel may take to end a namespace. */
const endLimitMs = 2_000;

/** What is made around a namespace. */
export interface Surroundings {
  readonly ids: HostIds;
  readonly cgroup: Promise<Cgroup | undefined>;
  readonly limits: Limits;
  readonly internet: InternetAccess;
}

/** The processes below bubblewrap: those of a namespace, which all end with its first process. */
export class NamespaceEnclosure implements Enclosure {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #first: number;
  #cgroup: Cgroup | undefined;
  readonly #access: InternetAccess;
  #internet: Internet | undefined;
  /** The namespace of users that the network belongs to. */
  #users: FileHandle | undefined;
  #stopped: readonly number[] = [];

  private constructor(child: ChildProcess, first: number, access: InternetAccess) {
    this.#child = child;
    this.#access = access;
    this.#exited = exitOf(child);
    this.#first = first;
  }

  /**
   * `child` is bubblewrap, which tells on descriptor 4 who the first process is, and waits on descriptor 5 until
   * everything around that is made.
   */
  static async around(child: ChildProcess, surroundings: Surroundings): Promise<NamespaceEnclosure> {
    const { ids, limits, internet } = surroundings;
    const [, , , , report, gate] = child.stdio as unknown as Duplex[];
    gate!.on('error', () => {});
    const first = await firstProcess(report!).catch(async (error) => {
      await (await surroundings.cgroup.catch(() => undefined))?.remove();
      throw error;
    });
    const enclosure = new NamespaceEnclosure(child, first, internet);
    try {
      const cgroup = await surroundings.cgroup;
      enclosure.#cgroup = cgroup;
      if (ids.range) await mapIds(first, ids.launcher!);
      await Promise.all([cgroup?.add(first), cgroup?.limit(limits)]);
      // With one id only, bubblewrap goes on to a second one, in which the network is out of reach.
      enclosure.#users = await open(`/proc/${first}/ns/user`);
      // Where bubblewrap waits for a file, it gets that file.
      gate!.end(resolverSettings);
      return enclosure;
    } catch (error) {
      await enclosure.end();
      throw error;
    }
  }

  async openInternet(): Promise<void> {
    this.#internet = await this.#access.open({ pid: this.#first, users: this.#users!.fd });
    await this.#closeUsers();
  }

  async closeInternet(): Promise<void> {
    await this.#internet?.close();
  }

  async freeze(): Promise<void> {
    if (await this.#cgroup?.freeze()) return;
    this.#stopped = await stopAll(() => treeOf(this.#first));
  }

  async thaw(): Promise<void> {
    await this.#cgroup?.thaw();
    continueAll(this.#stopped);
    this.#stopped = [];
  }

  async end(): Promise<void> {
    // While bubblewrap has it as a child, the pid cannot have become another's.
    if (this.#first > 1 && childrenOf(this.#child.pid!).includes(this.#first)) kill(this.#first);
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), endLimitMs);
    await this.#exited;
    clearTimeout(timer);
    await allEnded([this.#first], endLimitMs);
    await Promise.all([this.#internet?.close(), this.#closeUsers(), this.#cgroup?.remove()]);
  }

  async limit(limits: Partial<Limits>): Promise<void> {
    await this.#cgroup?.limit(limits);
  }

  async usage(): Promise<Usage> {
    return (await this.#cgroup?.usage()) ?? usageOf([...treeOf(this.#first)]);
  }

  async #closeUsers(): Promise<void> {
    await this.#users?.close();
    this.#users = undefined;
  }
}

/** Reads what bubblewrap tells about itself. */
async function firstProcess(pipe: Duplex): Promise<number> {
  let text = '';
  for await (const chunk of pipe) {
    text += chunk;
    const pid = /"child-pid":\s*(\d+)/.exec(text)?.[1];
    if (pid !== undefined && text.includes('}')) return Number(pid);
  }
  throw new Error('bubblewrap ended at once');
}

/** Gives the ids of a namespace, from 0 on, to those of the host from the launcher's on. */
async function mapIds(pid: number, launcher: Owner): Promise<void> {
  await writeFile(`/proc/${pid}/uid_map`, `0 ${launcher.uid} ${rangeLength}\n`);
  await writeFile(`/proc/${pid}/gid_map`, `0 ${launcher.gid} ${rangeLength}\n`);
}

function kill(pid: number): void {
  // 0, -1 and 1 would mean groups, everyone and init.
  if (!Number.isInteger(pid) || pid <= 1) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Ended meanwhile.
  }
}
