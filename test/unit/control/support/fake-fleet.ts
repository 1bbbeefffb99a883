/** Sandboxes in memory, of which a test says how long everything takes and what fails. */

import type { PoolableSandbox } from '../../../../src/control/pool/pool-options.js';

export type Act = 'create' | 'getInfo' | 'isRunning' | 'setTimeout' | 'kill' | 'reset';

export interface FakeSandbox extends PoolableSandbox {
  readonly number: number;
}

export class FakeFleet {
  /** Those that would have to be paid for. */
  readonly alive = new Set<number>();
  /** All that were ever created. */
  created = 0;
  creating = 0;
  /** The most that there were at a time, those under way included. */
  most = 0;
  /** How long a sandbox lives, in milliseconds, unless its life is made longer. */
  lifeMs = 300_000;
  /** How often each act has been asked for. */
  readonly asked: Partial<Record<Act, number>> = {};
  /** The next acts that fail. */
  readonly failures: Act[] = [];
  /** How long an act takes, in milliseconds. */
  takes: (act: Act) => number = () => 0;

  create = async (): Promise<FakeSandbox> => {
    this.creating++;
    this.most = Math.max(this.most, this.alive.size + this.creating);
    try {
      await this.act('create');
    } finally {
      this.creating--;
    }
    const number = this.created++;
    const startedAt = Date.now();
    let endAt = startedAt + this.lifeMs;
    this.alive.add(number);
    const runs = (): boolean => this.alive.has(number) && Date.now() < endAt;
    return {
      number,
      getInfo: async () => {
        await this.act('getInfo');
        return { startedAt: new Date(startedAt), endAt: new Date(endAt) };
      },
      isRunning: async () => {
        await this.act('isRunning');
        return runs();
      },
      setTimeout: async (timeoutMs) => {
        await this.act('setTimeout');
        if (!runs()) throw new Error(`sandbox ${number} has ended`);
        endAt = Date.now() + timeoutMs;
      },
      kill: async () => {
        try {
          await this.act('kill');
        } finally {
          this.alive.delete(number);
        }
        return true;
      },
    };
  };

  reset = (): Promise<void> => this.act('reset');

  async act(act: Act): Promise<void> {
    this.asked[act] = (this.asked[act] ?? 0) + 1;
    const index = this.failures.indexOf(act);
    if (index >= 0) this.failures.splice(index, 1);
    const ms = this.takes(act);
    if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
    if (index >= 0) throw new Error(`${act} failed`);
  }
}
