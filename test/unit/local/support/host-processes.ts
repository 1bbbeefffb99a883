import { readdirSync, readFileSync } from 'node:fs';

/** Processes of this machine whose command line contains a text, sandboxes included. */
export function hostProcesses(text: string): number[] {
  const found: number[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').includes(text)) found.push(pid);
    } catch {
      // Ended meanwhile.
    }
  }
  return found;
}

let count = 0;

/** Seconds to sleep that no other process sleeps, and that find this one again. */
export function uniqueSleep(): string {
  return `sleep 9${process.pid}${Date.now() % 100_000}${count++}`;
}
