/**
 * Something that is to be done once, however many ask for it at the same time and wherever: the first one claims it in
 * the store, and what came of it is kept there for the others.
 */

import type { SessionStore } from './session-store.js';
import { askStore } from './store-access.js';

/** A store in which of several at once exactly one wins. */
export type ExactStore = Required<SessionStore>;

export interface Claim {
  /** Keeps what came of it. */
  settle(result: string): Promise<void>;
  /** It failed: the next one tries. */
  release(): Promise<void>;
}

/** It is for the caller to do, or somebody is at it, or it was done. */
export type Claimed =
  | { state: 'mine'; claim: Claim }
  | { state: 'pending' }
  | { state: 'done'; result: string };

/** Whoever claims something and never comes back keeps it from the others for so long. */
const holdMs = 90_000;
const free = 'free';

export interface ClaimOptions {
  /** A result that was kept and is of no use any more: it counts as if it were none. */
  useless?: string | undefined;
  /** Asked before it is claimed, where nobody has done it: what is refused then leaves nothing in the store. */
  admit?: () => Promise<void>;
}

/** @param keepMs how long what came of it is kept, in milliseconds. */
export async function claimOnce(
  store: ExactStore,
  key: string,
  keepMs: number,
  { useless, admit }: ClaimOptions = {},
): Promise<Claimed> {
  const set = (expected: string | undefined, value: string, ms: number): Promise<boolean> =>
    askStore('take a claim', () => store.compareAndSet(key, expected, value, Date.now() + ms));
  const known = await askStore('tell of a claim', async () => (await store.get(key)) ?? undefined);
  if (known?.startsWith('done:') && known !== `done:${useless}`) {
    return { state: 'done', result: known.slice('done:'.length) };
  }
  if (known?.startsWith('held:')) return { state: 'pending' };
  await admit?.();
  const mine = `held:${crypto.randomUUID()}`;
  if (!(await set(known, mine, holdMs))) return { state: 'pending' };
  return {
    state: 'mine',
    claim: {
      settle: async (result) => void (await set(mine, `done:${result}`, keepMs)),
      release: async () => void (await set(mine, free, 1000)),
    },
  };
}

/** Takes one of so many, and tells whether there was one left. */
export async function takeOneOf(
  store: ExactStore,
  key: string,
  most: number,
  expiresAt: number,
): Promise<boolean> {
  for (;;) {
    const known = await askStore('tell a count', async () => (await store.get(key)) ?? undefined);
    const taken = Number(known ?? 0);
    if (taken >= most) return false;
    if (await askStore('take a count', () => store.compareAndSet(key, known, String(taken + 1), expiresAt))) {
      return true;
    }
  }
}
