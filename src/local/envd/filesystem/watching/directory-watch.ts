import { type FSWatcher, watch } from 'node:fs';
import { basename, join } from 'node:path';
import { type EntryRecord, isSameFile, lookAt } from './entry-record.js';
import type { HeldEntry } from './held-entries.js';

/** An entry of a watched directory. */
export interface KnownEntry {
  record: EntryRecord;
  readonly held: HeldEntry;
  /** When it is a directory of a tree that is watched as a whole. */
  watch?: DirectoryWatch;
}

/** Where a directory is: below another one, or at a path of its own. */
export interface Place {
  readonly parent: DirectoryWatch | undefined;
  readonly name: string;
}

export interface DirectoryListener {
  /** The kernel said something about a name in the directory. */
  noticed(directory: DirectoryWatch, kind: 'rename' | 'change', name: string): void;
  failed(error: Error): void;
}

/** One directory: the kernel's watch on it, and what was in it when it was last looked at. */
export class DirectoryWatch {
  readonly entries: Map<string, KnownEntry> = new Map();
  /** By this name the kernel's watch tells of the directory itself, wherever it has moved since. */
  readonly ownName: string;
  /** The directory itself, as it was when it was last looked at. */
  record: EntryRecord | undefined;
  #place: Place;
  readonly #watcher: FSWatcher;
  #away = false;
  #closed = false;

  /** Throws what inotify_add_watch(2) does. */
  constructor(place: Place, listener: DirectoryListener) {
    this.#place = place;
    this.ownName = basename(place.name);
    this.#watcher = watch(this.path, { persistent: false }, (kind, name) => {
      if (name !== null) listener.noticed(this, kind, name);
    });
    this.#watcher.on('error', (error) => listener.failed(error));
    this.record = lookAt(this.path);
  }

  get path(): string {
    const { parent, name } = this.#place;
    return parent ? join(parent.path, name) : name;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Whether it was moved, alone or with a directory above it, and is not known to be anywhere. */
  get away(): boolean {
    return this.#away || (this.#place.parent?.away ?? false);
  }

  /** The path of an entry below the directory that the tree begins with. */
  relative(name: string): string {
    const { parent } = this.#place;
    return parent ? join(parent.relative(this.#place.name), name) : name;
  }

  /** It was moved, to a place that is not known yet. */
  moveAway(): void {
    this.#away = true;
  }

  moveTo(place: Place): void {
    this.#place = place;
    this.#away = false;
  }

  /** The directory itself, if it is still where it was when the watch began. */
  lookAtItself(): EntryRecord | undefined {
    if (basename(this.#place.name) !== this.ownName) return undefined;
    const now = lookAt(this.path);
    return now && this.record && isSameFile(this.record, now) ? now : undefined;
  }

  close(): void {
    this.#closed = true;
    this.#watcher.close();
  }
}
