import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Sandbox } from './sandbox.js';
import type { Sandboxes } from './sandboxes.js';

/** What a sandbox used at one moment. */
export interface Sample {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly cpuCount: number;
  /** Of all of its processors together, since the sample before. */
  readonly cpuUsedPct: number;
  readonly memUsed: number;
  readonly memTotal: number;
  /** The host's: sandboxes share its disk, and to measure each one's part would take reading all of its files. */
  readonly diskUsed: number;
  readonly diskTotal: number;
}

interface History {
  readonly samples: Sample[];
  /** Where the next percentage starts. */
  readonly cpuSeconds: number;
  readonly since: number;
}

const periodMs = 5_000;
const firstWindowMs = 100;
/** An hour. */
const mostSamples = 720;

/** Measures the running sandboxes every five seconds, and remembers the last hour of each. */
export class Metrics {
  readonly #sandboxes: Sandboxes;
  readonly #histories = new WeakMap<Sandbox, History>();
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(sandboxes: Sandboxes) {
    this.#sandboxes = sandboxes;
    this.#timer = setInterval(() => void this.#measureAll(), periodMs);
    this.#timer.unref();
  }

  /** Oldest first. One that was not measured yet is measured now. */
  async of(sandbox: Sandbox): Promise<readonly Sample[]> {
    const known = this.#histories.get(sandbox);
    if (known?.samples.length) return known.samples;
    if (sandbox.state !== 'running') return [];
    try {
      await this.#measure(sandbox);
      await delay(firstWindowMs);
      await this.#measure(sandbox);
    } catch {
      // It ended or was paused in between: what there is has to do.
    }
    return this.#histories.get(sandbox)?.samples ?? [];
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #measureAll(): Promise<void> {
    for (const sandbox of this.#sandboxes.all()) {
      // One that ended or was paused in between has nothing to measure.
      if (sandbox.state === 'running') await this.#measure(sandbox).catch(() => {});
    }
  }

  /** The first time only begins the time that the first percentage is of. */
  async #measure(sandbox: Sandbox): Promise<void> {
    const [usage, disk] = await Promise.all([sandbox.machine.usage(), statfs(tmpdir())]);
    const time = Date.now();
    const last = this.#histories.get(sandbox);
    const { cpuSeconds } = usage;
    const samples = last?.samples ?? [];
    this.#histories.set(sandbox, { samples, cpuSeconds, since: time });
    if (!last) return;
    // Less than before: it has booted anew.
    const used = cpuSeconds - (cpuSeconds < last.cpuSeconds ? 0 : last.cpuSeconds);
    const seconds = Math.max(time - last.since, 1) / 1000;
    const { cpuCount, memoryMB } = sandbox.plan.size;
    samples.push({
      time,
      cpuCount,
      cpuUsedPct: Math.round(Math.min((used / seconds / cpuCount) * 100, 100) * 100) / 100,
      memUsed: usage.memoryBytes,
      memTotal: memoryMB * 2 ** 20,
      diskUsed: (disk.blocks - disk.bfree) * disk.bsize,
      diskTotal: disk.blocks * disk.bsize,
    });
    if (samples.length > mostSamples) samples.shift();
  }
}
