import type { RelayOptions } from './relay-api.js';

/** The numbers of a relay, with the defaults filled in. */
export interface HubSettings {
  ringBytes: number;
  readAheadBytes: number;
  graceMs: number;
  tombstoneMs: number;
  pingIntervalMs: number | undefined;
  pingTimeoutMs: number | undefined;
}

/** The default of HELLO's window, which also bounds how far the terminal runs ahead of its reader. */
export const defaultWindowBytes: number = 256 * 1024;
const smallestWindowBytes = 16 * 1024;
const largestWindowBytes: number = 1024 * 1024;

export function hubSettings(options: RelayOptions): HubSettings {
  const ringBytes = Math.max(options.ringBytes ?? 2 * 1024 * 1024, smallestWindowBytes);
  return {
    ringBytes,
    readAheadBytes: Math.min(defaultWindowBytes, ringBytes),
    graceMs: options.graceMs ?? 60_000,
    tombstoneMs: options.tombstoneMs ?? 600_000,
    pingIntervalMs: options.pingIntervalMs,
    pingTimeoutMs: options.pingTimeoutMs,
  };
}

/** A window that can neither starve the client nor fill the relay. */
export function clampWindow(wished: number): number {
  return Math.min(Math.max(wished, smallestWindowBytes), largestWindowBytes);
}
