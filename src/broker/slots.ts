/** Counts what is open, by name. */
export interface Slots {
  /**
   * Takes one of each name, or none where one is used up.
   * @returns what frees them; more than once does no harm. Undefined where there was no room.
   */
  take(wanted: readonly [name: string, max: number][]): (() => void) | undefined;
}

interface Lease {
  renewedAt: number;
}

const renewEveryMs = 10_000;
const lapseMs = 30_000;

/**
 * A slot is a lease that renews itself: workerd drops a request whose caller is gone with all that it still meant to do,
 * the end of its slot among it, and with it the timer. What has not been renewed for a while is nobody's any more.
 */
export function createSlots(): Slots {
  const leases = new Map<string, Set<Lease>>();
  let sweepAt = 0;

  function countOf(name: string): number {
    const held = leases.get(name);
    if (!held) return 0;
    const lapsed = Date.now() - lapseMs;
    for (const lease of held) if (lease.renewedAt < lapsed) free(name, lease);
    return held.size;
  }

  function free(name: string, lease: Lease): void {
    const held = leases.get(name);
    held?.delete(lease);
    if (held?.size === 0) leases.delete(name);
  }

  function sweep(): void {
    if (Date.now() < sweepAt) return;
    sweepAt = Date.now() + lapseMs;
    for (const name of leases.keys()) countOf(name);
  }

  return {
    take(wanted) {
      sweep();
      if (wanted.some(([name, max]) => countOf(name) >= max)) return undefined;
      const lease: Lease = { renewedAt: Date.now() };
      for (const [name] of wanted) leases.set(name, (leases.get(name) ?? new Set()).add(lease));
      const renewing = setInterval(() => {
        lease.renewedAt = Date.now();
      }, renewEveryMs);
      return () => {
        clearInterval(renewing);
        for (const [name] of wanted) free(name, lease);
      };
    },
  };
}
