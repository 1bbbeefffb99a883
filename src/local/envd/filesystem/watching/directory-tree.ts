import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { EventType } from '../../../../wire/gen/filesystem/filesystem_pb.js';
import { errnoOf } from '../../errors.js';
import type { Departure } from './changes-of.js';
import { type DirectoryListener, DirectoryWatch, type KnownEntry, type Place } from './directory-watch.js';
import { type EntryRecord, lookAt } from './entry-record.js';
import type { HeldEntries } from './held-entries.js';

/** After this many entries others get their turn. */
const entriesATurn = 256;

/** What a directory that went away between two looks at it gives; one that may not be read is left alone, too. */
const passedOver = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP']);

/** The directories that a watcher watches, and what is known to be in them. */
export class DirectoryTree {
  readonly root: DirectoryWatch;
  readonly #recursive: boolean;
  readonly #held: HeldEntries;
  readonly #listener: DirectoryListener;
  /** Directories that were moved away, by their inode: they may turn up elsewhere in the tree. */
  readonly #moved = new Map<number, DirectoryWatch>();
  #entered = 0;

  /** Only the kernel's watch on `path` begins; throws what that does. What is there is found by `fill`. */
  constructor(path: string, recursive: boolean, held: HeldEntries, listener: DirectoryListener) {
    this.#recursive = recursive;
    this.#held = held;
    this.#listener = listener;
    this.root = new DirectoryWatch({ parent: undefined, name: path }, listener);
  }

  /** Takes in what is in the watched directory. */
  async fill(): Promise<void> {
    await this.#fill(this.root);
  }

  /** Takes in an entry that is new in a directory; `found` hears of what is below it already. */
  async add(
    directory: DirectoryWatch,
    name: string,
    record: EntryRecord,
    found?: (path: string) => unknown,
  ): Promise<void> {
    const known: KnownEntry = { record, held: this.#held.hold(join(directory.path, name)) };
    directory.entries.set(name, known);
    if (!record.isDirectory || !this.#recursive) return;
    const moved = this.#moved.get(record.ino);
    if (moved) {
      this.#moved.delete(record.ino);
      moved.moveTo({ parent: directory, name });
      known.watch = moved;
      return;
    }
    const watch = this.#open({ parent: directory, name });
    if (!watch) return;
    known.watch = watch;
    await this.#fill(watch, found);
  }

  /** Forgets an entry that is not there any more, and tells what became of it. */
  remove(directory: DirectoryWatch, name: string, known: KnownEntry): Departure {
    const departure = this.#held.departureOf(known.held);
    directory.entries.delete(name);
    this.#held.release(known.held);
    if (known.watch) {
      if (departure === EventType.RENAME) {
        known.watch.moveAway();
        this.#moved.set(known.record.ino, known.watch);
      } else {
        this.#close(known.watch);
      }
    }
    return departure;
  }

  /** Gives up directories that were moved away and have not turned up. */
  closeMoved(): void {
    for (const watch of this.#moved.values()) this.#close(watch);
    this.#moved.clear();
  }

  close(): void {
    this.closeMoved();
    this.#close(this.root);
  }

  #open(place: Place): DirectoryWatch | undefined {
    try {
      return new DirectoryWatch(place, this.#listener);
    } catch (error) {
      if (passedOver.has(errnoOf(error) ?? '')) return undefined;
      throw error;
    }
  }

  async #fill(directory: DirectoryWatch, found?: (path: string) => unknown): Promise<void> {
    for (const name of namesIn(directory.path)) {
      if (directory.closed) return;
      const record = lookAt(join(directory.path, name));
      if (!record) continue;
      found?.(directory.relative(name));
      await this.add(directory, name, record, found);
      if (++this.#entered % entriesATurn === 0) await nextTurn();
    }
  }

  #close(directory: DirectoryWatch): void {
    directory.close();
    for (const { watch, held } of directory.entries.values()) {
      this.#held.release(held);
      if (watch) this.#close(watch);
    }
    directory.entries.clear();
  }
}

/** In the order in which they are listed. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    if (passedOver.has(errnoOf(error) ?? '')) return [];
    throw error;
  }
}
