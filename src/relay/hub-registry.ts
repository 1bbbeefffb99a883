/** The terminals that a relay has open, found by process id or by the key they were created with. */

import type { Channel, PtyTarget } from '../channel/channel.js';
import { ConnectionError, PermissionDeniedError } from '../errors.js';
import type { Hello, HelloCreate } from '../wire/pty-messages.js';
import { Hub, type HubOptions } from './hub.js';
import type { RelayAccess } from './relay-api.js';
import { tooMany } from './relay-error.js';

export type HubDefaults = Pick<HubOptions, 'settings' | 'log'>;

/** A promise from the start, so that two who ask for the same terminal at once open it once. */
interface Entry {
  subject: string;
  opening: Promise<Hub>;
  hub?: Hub;
}

export class HubRegistry {
  readonly #defaults: HubDefaults;
  readonly #maxPerSubject: number;
  readonly #byPid = new Map<string, Entry>();
  readonly #byCreateKey = new Map<string, Entry>();
  #closed = false;

  constructor(defaults: HubDefaults, maxPerSubject: number) {
    this.#defaults = defaults;
    this.#maxPerSubject = maxPerSubject;
  }

  /** The terminal that a HELLO is for, opened if need be. */
  find(hello: Hello, access: RelayAccess): Promise<Hub> {
    if (hello.pty !== undefined) return this.#running(hello.pty, access);
    if (access.mode !== 'write') {
      throw new PermissionDeniedError('The session may watch terminals, not open new ones.', {
        code: 'read_only',
      });
    }
    return this.#created(hello as Hello & { create: HelloCreate }, access);
  }

  /** How many sockets a session has, not counting those of one client. */
  socketsOf(sessionId: string, exceptClientId: string): number {
    let count = 0;
    for (const { hub } of this.#byPid.values()) count += hub?.socketsOf(sessionId, exceptClientId) ?? 0;
    return count;
  }

  close(): void {
    this.#closed = true;
    for (const { hub } of [...this.#byPid.values()]) hub?.close();
  }

  #running(pid: number, access: RelayAccess): Promise<Hub> {
    return this.#once(this.#byPid, access, pid, () => this.#open({ pid }, access));
  }

  #created({ create, cols, rows }: Hello & { create: HelloCreate }, access: RelayAccess): Promise<Hub> {
    const { createKey, ...start } = create;
    return this.#once(this.#byCreateKey, access, createKey, async (entry) => {
      const hub = await this.#open({ create: { ...start, size: { cols, rows } } }, access);
      // A terminal of the same process id that is still here has ended: the kernel gave its id again.
      const ended = keyOf(access, hub.pid);
      this.#byPid.get(ended)?.hub?.close();
      this.#byPid.set(ended, entry);
      return hub;
    });
  }

  #once(
    entries: Map<string, Entry>,
    access: RelayAccess,
    name: number | string,
    open: (entry: Entry) => Promise<Hub>,
  ): Promise<Hub> {
    const key = keyOf(access, name);
    const known = entries.get(key);
    if (known) return known.opening;
    this.#makeRoom(access.subject);
    const entry = { subject: access.subject } as Entry;
    entry.opening = open(entry).then(
      (hub) => {
        entry.hub = hub;
        return hub;
      },
      (error: unknown) => {
        entries.delete(key);
        throw error;
      },
    );
    entries.set(key, entry);
    return entry.opening;
  }

  /** Each terminal holds a stream and its output, also where nobody is. Such a one is let go of; its program lives on. */
  #makeRoom(subject: string): void {
    const entries = new Set([...this.#byPid.values(), ...this.#byCreateKey.values()]);
    const own = [...entries].filter((entry) => entry.subject === subject);
    if (own.length < this.#maxPerSubject) return;
    const unattended = own.find(({ hub }) => hub && !hub.isAttended)?.hub;
    if (!unattended) throw tooMany('terminals of one user', 'too_many_terminals');
    unattended.close();
  }

  async #open(target: PtyTarget, access: RelayAccess): Promise<Hub> {
    const channel: Channel = await access.open(target);
    if (this.#closed) {
      channel.close();
      throw new ConnectionError('The relay goes away.');
    }
    return new Hub({
      ...this.#defaults,
      sandboxId: access.sandboxId,
      channel,
      size: 'create' in target ? target.create.size : undefined,
      onEnd: (hub) => this.#forget(hub),
    });
  }

  #forget(ended: Hub): void {
    for (const entries of [this.#byPid, this.#byCreateKey]) {
      for (const [key, { hub }] of entries) if (hub === ended) entries.delete(key);
    }
  }
}

/**
 * A terminal is shared by all sessions that have the terminals of one subject, as one Linux user. Anybody else in the same
 * sandbox opens a channel of their own, and is judged by whoever opens it: here nobody knows whose process it is.
 */
function keyOf({ sandboxId, subject, owner = subject, user }: RelayAccess, name: number | string): string {
  return JSON.stringify([sandboxId, owner, user ?? null, name]);
}
