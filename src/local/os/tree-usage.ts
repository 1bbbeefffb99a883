import { readFileSync } from 'node:fs';

/** Linux tells programs times in hundredths of a second, whatever the kernel counts in. */
const ticksPerSecond = 100;
const pageBytes = 4096;

/** Where the fields are in what follows the name of the program in `/proc/PID/stat`. */
const fields = { utime: 11, stime: 12, cutime: 13, cstime: 14, rss: 21 } as const;

/**
 * What processes use, children that they have waited for included. Memory that they share is counted for each.
 */
export function usageOf(pids: readonly number[]): { cpuSeconds: number; memoryBytes: number } {
  let [ticks, pages] = [0, 0];
  for (const pid of pids) {
    const stat = statOf(pid);
    if (!stat) continue;
    const { utime, stime, cutime, cstime, rss } = fields;
    for (const field of [utime, stime, cutime, cstime]) ticks += Number(stat[field]);
    pages += Number(stat[rss]);
  }
  return { cpuSeconds: ticks / ticksPerSecond, memoryBytes: pages * pageBytes };
}

function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // A name may have spaces and parentheses in it.
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
