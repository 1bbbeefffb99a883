import { join } from 'node:path';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { EventType } from '../../../../wire/gen/filesystem/filesystem_pb.js';
import { changesOf, type Departure, differs } from './changes-of.js';
import { DirectoryTree, namesIn } from './directory-tree.js';
import type { DirectoryListener, DirectoryWatch } from './directory-watch.js';
import { isSameFile, lookAt } from './entry-record.js';
import type { HeldEntries } from './held-entries.js';
import type { KernelQueue } from './kernel-queue.js';
import { type Notice, NoticeBoard } from './notice-board.js';

/** Something that happened to an entry; `name` is relative to the watched directory, which is `.` itself. */
export interface WatchedEvent {
  readonly name: string;
  readonly type: EventType;
}

/** What all watchers of one process share. */
export interface WatchResources {
  readonly queue: KernelQueue;
  readonly held: HeldEntries;
}

export interface TreeListener {
  /** Events, in their order. What happens until this is done is told afterwards. */
  happened(events: readonly WatchedEvent[]): void | Promise<void>;
  /** It cannot go on; nothing more comes. */
  failed(error: Error): void;
}

/** Names that may wait to be looked at. */
const maxNotices = 1 << 16;
/** After this many looks the kernel's queue is read, and others get their turn. */
const looksATurn = 256;
/** The second of two notices that belong together is there by then. */
const secondNoticeMs = 20;

/**
 * Watches a directory, if asked with everything below it. It is built on Node's watch of a single directory, which
 * tells of a name but not what happened to it: that is found by looking at the file and comparing with what was
 * known of it. (inotify itself would say, but Node has no way to it, and no program that reads it can be relied on
 * in every image.)
 */
export class TreeWatcher implements DirectoryListener {
  readonly #resources: WatchResources;
  readonly #listener: TreeListener;
  readonly #tree: DirectoryTree;
  readonly #stopListening: () => void;
  readonly #board = new NoticeBoard();
  /** Names that are ahead of their notices: they had gone before their coming was looked at. */
  #ahead = new Set<string>();
  #busy = true;
  #rootGone = false;
  #closed = false;

  private constructor(path: string, recursive: boolean, resources: WatchResources, listener: TreeListener) {
    this.#resources = resources;
    this.#listener = listener;
    this.#tree = new DirectoryTree(path, recursive, resources.held, this);
    this.#stopListening = resources.queue.onOverflow(() => this.#findLost());
  }

  /**
   * Watches from now on: what happens after this has been called is told, from when it resolves. `path` is free of
   * symlinks. Rejects as inotify_add_watch(2) does.
   */
  static async start(
    path: string,
    recursive: boolean,
    resources: WatchResources,
    listener: TreeListener,
  ): Promise<TreeWatcher> {
    const watcher = new TreeWatcher(path, recursive, resources, listener);
    try {
      await watcher.#tree.fill();
    } catch (error) {
      watcher.close();
      throw error;
    }
    watcher.#busy = false;
    watcher.#wake();
    return watcher;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopListening();
    this.#tree.close();
  }

  noticed(directory: DirectoryWatch, kind: 'rename' | 'change', name: string): void {
    this.#resources.queue.count();
    this.#note(directory, kind, name);
  }

  failed(error: Error): void {
    if (this.#closed) return;
    this.close();
    this.#listener.failed(error);
  }

  #note(directory: DirectoryWatch, kind: 'rename' | 'change', name: string): void {
    // A name that is not text cannot be said in a message, and would be looked for in vain.
    if (this.#closed || name.includes('\ufffd')) return;
    this.#board.add(directory, kind, name);
    if (this.#board.size > maxNotices) this.failed(new Error('queue or buffer overflow'));
    else this.#wake();
  }

  /** Not before the kernel's queue is empty: the notices about one name are then known together. */
  #wake(): void {
    if (this.#busy || this.#board.size === 0) return;
    this.#busy = true;
    setImmediate(() => void this.#work().catch((error) => this.failed(error)));
  }

  async #work(): Promise<void> {
    while (this.#board.size > 0 && !this.#closed) {
      const ahead = this.#ahead;
      this.#ahead = new Set();
      let events: WatchedEvent[] = [];
      for (const [index, notice] of this.#board.take().entries()) {
        await this.#look(notice, ahead, events);
        if (index % looksATurn !== looksATurn - 1) continue;
        await this.#tell(events);
        events = [];
        await nextTurn();
      }
      this.#tree.closeMoved();
      await this.#tell(events);
      await nextTurn();
    }
    this.#busy = false;
  }

  async #tell(events: WatchedEvent[]): Promise<void> {
    if (events.length > 0 && !this.#closed) await this.#listener.happened(events);
  }

  async #look(notice: Notice, ahead: ReadonlySet<string>, events: WatchedEvent[]): Promise<void> {
    const { directory, name } = notice;
    if (directory.closed || directory.away) return;
    const known = directory.entries.get(name);
    const now = lookAt(join(directory.path, name));
    const hasEntry = known !== undefined || now !== undefined;
    if (name === directory.ownName) {
      const explained = await this.#lookAtItself(notice, hasEntry, events);
      if (explained || directory.closed) return;
    }
    const path = directory.relative(name);
    if (!hasEntry && notice.renames === 1 && ahead.has(path)) return;
    if (!now && notice.renames % 2 === (known ? 0 : 1)) this.#ahead.add(path);
    const gone = known !== undefined && !(now && isSameFile(known.record, now));
    const departure = gone ? this.#tree.remove(directory, name, known) : EventType.REMOVE;
    for (const type of changesOf(known?.record, now, notice, departure)) events.push({ name: path, type });
    if (!now) return;
    if (known && !gone) {
      known.record = now;
      return;
    }
    const tell = (found: string): unknown => events.push({ name: found, type: EventType.CREATE });
    await this.#tree.add(directory, name, now, tell);
  }

  /**
   * A notice by a directory's own name is about itself, or about an entry that has the same name. Returns whether
   * the former explains it.
   */
  async #lookAtItself(notice: Notice, hasEntry: boolean, events: WatchedEvent[]): Promise<boolean> {
    const { directory } = notice;
    const now = directory.lookAtItself();
    const isRoot = directory === this.#tree.root;
    if (!now) {
      if (isRoot && !this.#rootGone) {
        this.#rootGone = true;
        events.push({ name: '.', type: await this.#rootDeparture(notice) });
      }
      return !hasEntry;
    }
    // One notice alone is no entry that came and went.
    const changed = !directory.record || differs(directory.record, now) || (!hasEntry && notice.renames < 2);
    directory.record = now;
    if (changed && isRoot) events.push({ name: '.', type: EventType.CHMOD });
    return changed && !hasEntry;
  }

  /**
   * The kernel tells of a removal twice, that it was and that the watch has ended. (A hold on it, as on other
   * entries, would make it tell nothing.)
   */
  async #rootDeparture({ directory, name, renames }: Notice): Promise<Departure> {
    if (renames < 2) await delay(secondNoticeMs);
    const more = this.#board.find(directory, name)?.renames ?? 0;
    if (renames + more >= 2) return EventType.REMOVE;
    // What happens in it from now on is not in the watched place.
    this.#tree.close();
    return EventType.RENAME;
  }

  /** Events were lost: finds out for itself. */
  #findLost(): void {
    try {
      this.#compareAll(this.#tree.root);
    } catch (error) {
      this.failed(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Notes everything that is not as it is known. */
  #compareAll(directory: DirectoryWatch): void {
    for (const name of new Set([...directory.entries.keys(), ...namesIn(directory.path)])) {
      const known = directory.entries.get(name);
      const now = lookAt(join(directory.path, name));
      if (!known && !now) continue;
      if (!known || !now || !isSameFile(known.record, now)) this.#note(directory, 'rename', name);
      else if (differs(known.record, now)) this.#note(directory, 'change', name);
      if (known?.watch) this.#compareAll(known.watch);
    }
  }
}
