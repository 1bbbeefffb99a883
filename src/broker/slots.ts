/** Counts what is open, by name. */
export interface Slots {
  /**
   * Takes one of each name, or none where one is used up.
   * @returns what frees them; more than once does no harm. Undefined where there was no room.
   */
  take(wanted: readonly [name: string, max: number][]): (() => void) | undefined;
}

interface Lease {
  names: readonly string[];
  renewedAt: number;
}

const renewEveryMs = 10_000;
const lapseMs = 30_000;

/**
 * A slot is a lease that renews itself: workerd drops a request whose caller is gone with all that it still meant to do,
 * the end of its slot among it, and with it the timer. What has not been renewed for a while is nobody's any more.
 */
export function createSlots(): Slots {
  const counts = new Map<string, number>();
  // The one that was renewed longest ago comes first.
  const leases = new Set<Lease>();

  const countOf = (name: string): number => counts.get(name) ?? 0;

  function hold(lease: Lease): void {
    free(lease);
    lease.renewedAt = Date.now();
    leases.add(lease);
    for (const name of lease.names) counts.set(name, countOf(name) + 1);
  }

  function free(lease: Lease): void {
    if (!leases.delete(lease)) return;
    for (const name of lease.names) {
      const left = countOf(name) - 1;
      if (left === 0) counts.delete(name);
      else counts.set(name, left);
    }
  }

  function freeLapsed(): void {
    const lapsed = Date.now() - lapseMs;
    for (const lease of leases) {
      if (lease.renewedAt >= lapsed) return;
      free(lease);
    }
  }

  return {
    take(wanted) {
      freeLapsed();
      if (wanted.some(([name, max]) => countOf(name) >= max)) return undefined;
      const lease: Lease = { names: wanted.map(([name]) => name), renewedAt: 0 };
      hold(lease);
      const renewing = setInterval(() => hold(lease), renewEveryMs);
      return () => {
        clearInterval(renewing);
        free(lease);
      };
    },
  };
}
