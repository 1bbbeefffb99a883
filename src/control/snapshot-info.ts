import type { SnapshotRecord } from './records.js';

/** A snapshot: a sandbox's files and, unless it was paused without, its memory. */
export interface SnapshotInfo {
  /** For `Sandbox.create`, in the place of a template. */
  snapshotId: string;
  /** Its full names, with the team and the tag. */
  names: string[];
}

/** Decodes the control plane's record. */
export function snapshotInfo(record: SnapshotRecord): SnapshotInfo {
  return { snapshotId: record.snapshotID, names: record.names ?? [] };
}
