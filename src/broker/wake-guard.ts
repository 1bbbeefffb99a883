import type { Scope } from './exchange.js';

/** Keeps a terminal from waking a sandbox that somebody has paused. */
export interface WakeGuard {
  /** From now on nobody has asked for what is opened: a link that was lost is made anew. */
  arm(): void;
  /** Is asked before each call. @throws 409 `sandbox_paused`. */
  check(procedure: string): Promise<void>;
}

/** The calls by which a terminal is opened again; what a user types may wake a sandbox. */
const opening = /\/(?:Connect|List|Start)$/;

export function createWakeGuard<Env>(scopeOf: () => Promise<Scope<Env>>, sandboxId: string): WakeGuard {
  let isArmed = false;
  return {
    arm: () => {
      isArmed = true;
    },
    async check(procedure) {
      if (!isArmed || !opening.test(procedure)) return;
      const { directory, credentials } = await scopeOf();
      await directory.requireAwake(sandboxId, credentials);
    },
  };
}
