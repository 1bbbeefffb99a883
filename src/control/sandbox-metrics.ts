import type { MetricRecord } from './records.js';

/** What a sandbox used at a moment. Memory and disk are in bytes; those of the disk need envd 0.2.4. */
export interface SandboxMetrics {
  timestamp: Date;
  /** In percent. */
  cpuUsedPct: number;
  cpuCount: number;
  memUsed: number;
  memTotal: number;
  /** What of the memory is the kernel's cache of files. */
  memCache: number;
  diskUsed: number;
  diskTotal: number;
}

/** Decodes the control plane's record. */
export function sandboxMetrics(record: MetricRecord): SandboxMetrics {
  const { cpuUsedPct, cpuCount, memUsed, memTotal, memCache, diskUsed, diskTotal } = record;
  return {
    timestamp: new Date(record.timestamp),
    cpuUsedPct,
    cpuCount,
    memUsed,
    memTotal,
    memCache,
    diskUsed,
    diskTotal,
  };
}
