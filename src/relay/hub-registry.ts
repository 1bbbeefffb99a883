/** The terminals that a relay has open, found by process id or by the key they were created with. */

import type { Channel, PtyTarget } from '../channel/channel.js';
import { ConnectionError, PermissionDeniedError } from '../errors.js';
import type { Hello, HelloCreate } from '../wire/pty-messages.js';
import type { Attachment } from './attachment.js';
import { Hub, type HubOptions } from './hub.js';
import type { RelayAccess, SeenTerminal } from './relay-api.js';
import { tooMany } from './relay-error.js';

/** How many terminals may be open at once. */
export interface TerminalLimits {
  ofSession: number;
  ofSubject: number;
}

export type HubDefaults = Pick<HubOptions, 'settings' | 'log'>;

/** A promise from the start, so that two who ask for the same terminal at once open it once. */
interface Entry {
  subject: string;
  /** The session that had it opened. */
  sessionId: string;
  opening: Promise<Hub>;
  hub?: Hub;
}

export class HubRegistry {
  readonly #defaults: HubDefaults;
  readonly #max: TerminalLimits;
  readonly #byPid = new Map<string, Entry>();
  readonly #byCreateKey = new Map<string, Entry>();
  #closed = false;

  constructor(defaults: HubDefaults, max: TerminalLimits) {
    this.#defaults = defaults;
    this.#max = max;
  }

  /** The terminal that a HELLO is for, opened if need be. */
  find(hello: Hello, access: RelayAccess): Promise<Hub> {
    if (hello.pty !== undefined) return this.#running(hello as Hello & { pty: number }, access);
    if (access.mode !== 'write') {
      throw new PermissionDeniedError('The session may watch terminals, not open new ones.', {
        code: 'read_only',
      });
    }
    return this.#created(hello as Hello & { create: HelloCreate }, access);
  }

  /** Everybody at a terminal. */
  attached(): Attachment[] {
    return [...this.#byPid.values()].flatMap(({ hub }) => hub?.attached() ?? []);
  }

  close(): void {
    this.#closed = true;
    for (const { hub } of [...this.#byPid.values()]) hub?.close();
  }

  #running(hello: Hello & { pty: number }, access: RelayAccess): Promise<Hub> {
    const { pty: pid, epoch, have } = hello;
    return this.#once(this.#byPid, access, pid, () => this.#open({ pid }, access, { epoch, have }));
  }

  #created({ create, cols, rows }: Hello & { create: HelloCreate }, access: RelayAccess): Promise<Hub> {
    const { createKey, ...start } = create;
    return this.#once(this.#byCreateKey, access, createKey, async (entry) => {
      const target = { create: { ...start, size: { cols, rows } } };
      const hub = await this.#open(target, access, { createKey, have: 0 });
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
    const { subject, sessionId } = access;
    this.#makeRoom('session', (entry) => entry.sessionId === sessionId, this.#max.ofSession);
    this.#makeRoom('user', (entry) => entry.subject === subject, this.#max.ofSubject);
    const entry = { subject, sessionId } as Entry;
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
  #makeRoom(whose: 'session' | 'user', isOwn: (entry: Entry) => boolean, max: number): void {
    const entries = new Set([...this.#byPid.values(), ...this.#byCreateKey.values()]);
    const own = [...entries].filter(isOwn);
    if (own.length < max) return;
    const unattended = own.find(({ hub }) => hub && !hub.isAttended)?.hub;
    if (!unattended) throw tooMany(`terminals of one ${whose}`, 'too_many_terminals');
    unattended.close();
  }

  async #open(target: PtyTarget, access: RelayAccess, seen: Omit<SeenTerminal, 'ringBytes'>): Promise<Hub> {
    const { ringBytes } = this.#defaults.settings;
    const channel: Channel = await access.open(target, { ...seen, ringBytes });
    if (this.#closed) {
      channel.close();
      throw new ConnectionError('The relay goes away.');
    }
    const hub = new Hub({
      ...this.#defaults,
      sandboxId: access.sandboxId,
      channel,
      size: 'create' in target ? target.create.size : undefined,
      onEnd: (ended) => this.#forget(ended),
    });
    if (channel.durable && channel.epoch === seen.epoch)
      await hub.reached(Math.min(seen.have, channel.replayUntil));
    return hub;
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
