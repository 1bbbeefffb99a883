import { closeSync, constants, openSync, readlinkSync } from 'node:fs';
import { EventType } from '../../../../wire/gen/filesystem/filesystem_pb.js';
import type { Departure } from './changes-of.js';

/** Linux's O_PATH, which Node has no name for: a hold on an entry without opening what is in it. */
const pathOnly = 0o10000000;
const maxHeld = 512;

/** One entry that can be asked where it went. */
export interface HeldEntry {
  fd: number | undefined;
}

/**
 * Holds on entries of watched directories. Of an entry that is gone neither Node nor its name tells whether it was
 * removed or moved; its descriptor does. Bounded, and the latest stay, because files that were just made (to be
 * moved onto others) are the likeliest to go. One that is not held counts as removed.
 */
export class HeldEntries {
  readonly #held = new Set<HeldEntry>();

  hold(path: string): HeldEntry {
    const entry: HeldEntry = { fd: undefined };
    if (process.platform !== 'linux') return entry;
    try {
      entry.fd = openSync(path, pathOnly | constants.O_NOFOLLOW);
    } catch {
      return entry;
    }
    this.#held.add(entry);
    if (this.#held.size > maxHeld) {
      const [oldest] = this.#held;
      if (oldest) this.release(oldest);
    }
    return entry;
  }

  /** What became of an entry that is not in its place any more. */
  departureOf(entry: HeldEntry): Departure {
    if (entry.fd === undefined) return EventType.REMOVE;
    try {
      const place = readlinkSync(`/proc/self/fd/${entry.fd}`);
      return place.endsWith(' (deleted)') ? EventType.REMOVE : EventType.RENAME;
    } catch {
      return EventType.REMOVE;
    }
  }

  release(entry: HeldEntry): void {
    this.#held.delete(entry);
    if (entry.fd !== undefined) closeSync(entry.fd);
    entry.fd = undefined;
  }
}
