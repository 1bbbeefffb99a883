import type { PoolMember } from './pool-member.js';
import type { PoolableSandbox, PoolSettings } from './pool-options.js';

/** What is due to be done with sandboxes that lie idle, oldest first. */
export interface Upkeep<S extends PoolableSandbox> {
  kill: PoolMember<S>[];
  /** Checked, which gives them their whole life again. */
  check: PoolMember<S>[];
}

export function upkeep<S extends PoolableSandbox>(
  idle: PoolMember<S>[],
  settings: PoolSettings<S>,
): Upkeep<S> {
  const due: Upkeep<S> = { kill: [], check: [] };
  const now = Date.now();
  let spare = idle.length - settings.min;
  for (const member of idle) {
    const isUnneeded = spare > 0 && now >= leavesAt(member, settings);
    if (isUnneeded || member.isSpent) {
      spare--;
      due.kill.push(member);
    } else if (now >= member.extendsAt) {
      due.check.push(member);
    }
  }
  return due;
}

/** How long until something is due, in milliseconds; Infinity where nothing is idle. */
export function untilUpkeep<S extends PoolableSandbox>(
  idle: PoolMember<S>[],
  settings: PoolSettings<S>,
): number {
  const isSpare = idle.length > settings.min;
  const dues = idle.map((member) =>
    Math.min(
      member.retiresAt,
      member.extendsAt,
      isSpare ? leavesAt(member, settings) : Number.POSITIVE_INFINITY,
    ),
  );
  return Math.max(0, Math.min(...dues) - Date.now());
}

/** When a sandbox has lain idle for as long as one may that is not needed. */
function leavesAt<S extends PoolableSandbox>(member: PoolMember<S>, { idleMs }: PoolSettings<S>): number {
  return idleMs > 0 ? member.restsSince + idleMs : Number.POSITIVE_INFINITY;
}
