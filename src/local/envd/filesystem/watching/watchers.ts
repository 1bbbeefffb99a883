import { randomInt } from 'node:crypto';
import { realpath, stat } from 'node:fs/promises';
import { posix } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import {
  EventType,
  type FilesystemEvent,
  FilesystemEventSchema,
} from '../../../../wire/gen/filesystem/filesystem_pb.js';
import { errnoOf, reasonOf, toConnectError } from '../../errors.js';
import type { PathSpace } from '../../paths.js';
import { entryInfo } from '../entry-info.js';
import { EventQueue } from './event-queue.js';
import { HeldEntries } from './held-entries.js';
import { KernelQueue } from './kernel-queue.js';
import { isOnNetworkMount } from './network-mount.js';
import { TreeWatcher, type WatchedEvent, type WatchResources } from './tree-watcher.js';

/** What is asked of a watcher, beside the path. */
export interface WatchOptions {
  readonly recursive: boolean;
  readonly includeEntry: boolean;
  readonly allowNetworkMounts: boolean;
}

/** A watcher and what it has found. */
export interface Watcher {
  readonly events: EventQueue;
  close(): void;
}

/** As many as Linux lets one user have, unless told otherwise. */
const maxKept = 128;
const idLength = 20;
const idAlphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** All watchers of one sandbox. */
export class Watchers {
  readonly #paths: PathSpace;
  readonly #resources: WatchResources = { queue: new KernelQueue(), held: new HeldEntries() };
  readonly #kept = new Map<string, Watcher>();

  constructor(paths: PathSpace) {
    this.#paths = paths;
  }

  /** Watches a directory, by the client's name of it. Rejects with a Connect error. */
  async open(path: string, options: WatchOptions): Promise<Watcher> {
    const root = await this.#watchable(path, options);
    const events = new EventQueue();
    try {
      const watcher = await TreeWatcher.start(root, options.recursive, this.#resources, {
        happened: async (happened) => {
          for (const event of happened) events.push(await this.#told(path, event, options.includeEntry));
        },
        failed: (error) => events.fail(reasonOf(error)),
      });
      return { events, close: () => watcher.close() };
    } catch (error) {
      throw new ConnectError(`error adding path ${path} to watcher: ${reasonOf(error)}`, Code.Internal);
    }
  }

  /** Keeps a watcher for whoever asks by the id that is returned, until it is removed. */
  keep(watcher: Watcher): string {
    if (this.#kept.size >= maxKept) {
      watcher.close();
      throw new ConnectError(
        `error creating watcher: there are ${maxKept} already; remove those that are not needed`,
        Code.Internal,
      );
    }
    const id = `w${newId()}`;
    this.#kept.set(id, watcher);
    return id;
  }

  kept(id: string): Watcher {
    const watcher = this.#kept.get(id);
    if (!watcher) throw new ConnectError(`watcher with id ${id} not found`, Code.NotFound);
    return watcher;
  }

  remove(id: string): void {
    this.kept(id).close();
    this.#kept.delete(id);
  }

  /** The directory's path free of symlinks, when it is one that can be watched. */
  async #watchable(path: string, { allowNetworkMounts }: WatchOptions): Promise<string> {
    let root: string;
    let isDirectory: boolean;
    try {
      root = await realpath(await this.#paths.target(path));
      isDirectory = (await stat(root)).isDirectory();
    } catch (error) {
      if (errnoOf(error) === undefined) throw toConnectError(error);
      if (errnoOf(error) === 'ENOENT') throw new ConnectError(`path ${path} not found`, Code.NotFound);
      throw new ConnectError(`error statting path ${path}: ${reasonOf(error)}`, Code.Internal);
    }
    if (!isDirectory) throw new ConnectError(`path ${path} not a directory`, Code.InvalidArgument);
    if (!allowNetworkMounts && (await isOnNetworkMount(root))) {
      throw new ConnectError(`cannot watch path on network filesystem: ${path}`, Code.InvalidArgument);
    }
    return root;
  }

  async #told(root: string, { name, type }: WatchedEvent, includeEntry: boolean): Promise<FilesystemEvent> {
    const event = create(FilesystemEventSchema, { name, type });
    // Under the name of one that has gone there may be another one by now.
    if (!includeEntry || type === EventType.REMOVE || type === EventType.RENAME) return event;
    const entry = await entryInfo(posix.join(root, name), this.#paths).catch(() => undefined);
    if (entry) event.entry = entry;
    return event;
  }
}

function newId(): string {
  return Array.from({ length: idLength }, () => idAlphabet[randomInt(idAlphabet.length)]).join('');
}
