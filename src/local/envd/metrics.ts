import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { cpus, freemem, totalmem } from 'node:os';

/** The answer of `GET /metrics`: the machine's, because a local sandbox has no share of its own. */
export async function metrics(root: string): Promise<Record<string, number>> {
  const disk = await statfs(root);
  const total = totalmem();
  const used = total - freemem();
  const mib = (bytes: number): number => Math.floor(bytes / 2 ** 20);
  return {
    ts: Math.floor(Date.now() / 1000),
    cpu_count: cpus().length,
    cpu_used_pct: cpuUsedPercent(),
    mem_total_mib: mib(total),
    mem_used_mib: mib(used),
    mem_total: total,
    mem_used: used,
    mem_cache: cacheBytes(),
    disk_used: (disk.blocks - disk.bavail) * disk.bsize,
    disk_total: disk.blocks * disk.bsize,
  };
}

let last = { busy: 0, total: 0 };

/** Since the last call; since boot at the first. */
function cpuUsedPercent(): number {
  let [busy, total] = [0, 0];
  for (const { times } of cpus()) {
    busy += times.user + times.nice + times.sys + times.irq;
    total += times.user + times.nice + times.sys + times.irq + times.idle;
  }
  const share = (busy - last.busy) / Math.max(total - last.total, 1);
  last = { busy, total };
  return Math.round(share * 10_000) / 100;
}

function cacheBytes(): number {
  try {
    return Number(/^Cached:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
