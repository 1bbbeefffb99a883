import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { sizeOf } from './machine-size.js';
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
  cpuSeconds: number;
  since: number;
}

const periodMs = 5_000;
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
    const { samples } = this.#historyOf(sandbox);
    if (samples.length === 0 && sandbox.state === 'running') await this.#measure(sandbox);
    return samples;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #measureAll(): Promise<void> {
    for (const sandbox of this.#sandboxes.all()) {
      if (sandbox.state === 'running') await this.#measure(sandbox);
    }
  }

  async #measure(sandbox: Sandbox): Promise<void> {
    const history = this.#historyOf(sandbox);
    try {
      const [usage, disk] = await Promise.all([sandbox.machine.usage(), statfs(tmpdir())]);
      const time = Date.now();
      const { cpuCount, memoryMB } = sizeOf(sandbox.plan.recipe);
      // Less than before: it has booted anew.
      const used = usage.cpuSeconds - (usage.cpuSeconds < history.cpuSeconds ? 0 : history.cpuSeconds);
      const seconds = Math.max(time - history.since, 1) / 1000;
      history.cpuSeconds = usage.cpuSeconds;
      history.since = time;
      history.samples.push({
        time,
        cpuCount,
        cpuUsedPct: Math.round(Math.min((used / seconds / cpuCount) * 100, 100) * 100) / 100,
        memUsed: usage.memoryBytes,
        memTotal: memoryMB * 2 ** 20,
        diskUsed: (disk.blocks - disk.bfree) * disk.bsize,
        diskTotal: disk.blocks * disk.bsize,
      });
      if (history.samples.length > mostSamples) history.samples.shift();
    } catch {
      // It ended or was paused in between: there is nothing to measure.
    }
  }

  #historyOf(sandbox: Sandbox): History {
    const known = this.#histories.get(sandbox);
    if (known) return known;
    const history = { samples: [], cpuSeconds: 0, since: sandbox.startedAt };
    this.#histories.set(sandbox, history);
    return history;
  }
}
