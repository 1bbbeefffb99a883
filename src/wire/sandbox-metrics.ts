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

/** The same as JSON. */
export interface MetricRecord extends Omit<SandboxMetrics, 'timestamp'> {
  timestamp: string;
}

/** From and until when, in whole seconds. */
export function metricsQuery(start: Date | undefined, end: Date | undefined): Record<string, string> {
  return { ...(start && { start: unixSeconds(start) }), ...(end && { end: unixSeconds(end) }) };
}

function unixSeconds(date: Date): string {
  return String(Math.round(date.getTime() / 1000));
}

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
