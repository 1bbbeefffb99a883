/** Many terminals, each with one channel to envd and any number of WebSockets. It knows no host. */

import { AuthenticationError, isE2BEdgeError, PermissionDeniedError } from '../errors.js';
import { PtyClose } from '../wire/pty-close.js';
import type { Hello } from '../wire/pty-messages.js';
import { HubRegistry } from './hub-registry.js';
import { hubSettings } from './hub-settings.js';
import type { Relay, RelayAccess, RelayLogEvent, RelayOptions, RelaySocket } from './relay-api.js';
import { tooMany } from './relay-error.js';
import { Visitor } from './visitor.js';

/** Makes a relay. It keeps no timer while it has no socket and no terminal. */
export function createRelay(options: RelayOptions): Relay {
  return new HubRelay(options);
}

class HubRelay implements Relay {
  readonly #options: RelayOptions;
  readonly #hubs: HubRegistry;
  readonly #visitors = new Set<Visitor>();
  /** Whose token was found good, while their terminal is found. They count for their own session and subject alone. */
  readonly #admitted = new Map<Visitor, RelayAccess>();
  #order = 0;
  #closed = false;

  constructor(options: RelayOptions) {
    this.#options = options;
    const log = (event: RelayLogEvent) => options.log?.(event);
    const { maxTerminalsPerSubject = 32, maxTerminalsPerSession = 32 } = options;
    this.#hubs = new HubRegistry(
      { settings: hubSettings(options), log },
      { ofSubject: maxTerminalsPerSubject, ofSession: maxTerminalsPerSession },
    );
  }

  accept(socket: RelaySocket, sandboxId: string, trace: Readonly<Record<string, string>> = {}): void {
    const visitor = new Visitor(socket);
    if (this.#closed) {
      visitor.close(PtyClose.goingAway);
    } else if (!this.#makeRoom()) {
      this.#refuse(visitor, sandboxId, tooMany('sockets that wait to be let in', 'too_many_sockets'));
    } else {
      void this.#serve(visitor, sandboxId, trace);
    }
  }

  close(): void {
    this.#closed = true;
    for (const visitor of [...this.#visitors, ...this.#admitted.keys()]) visitor.close(PtyClose.goingAway);
    this.#hubs.close();
  }

  /** Silent sockets need no token, so they must not keep out one that is about to speak. */
  #makeRoom(): boolean {
    if (this.#visitors.size < (this.#options.maxPendingSockets ?? 64)) return true;
    const silent = [...this.#visitors].find(({ hasGreeted }) => !hasGreeted);
    if (!silent) return false;
    this.#visitors.delete(silent);
    silent.refuse(tooMany('sockets that wait to be let in', 'too_many_sockets'));
    return true;
  }

  async #serve(visitor: Visitor, sandboxId: string, trace: Readonly<Record<string, string>>): Promise<void> {
    this.#visitors.add(visitor);
    // Who judges tokens logs what it finds.
    let isLogged = false;
    try {
      const hello = await visitor.hello(this.#options.helloTimeoutMs ?? 5_000);
      this.#order++;
      const order = this.#order;
      const authorize = (token: string) => this.#options.authorize(token, sandboxId, trace);
      const access = await authorize(hello.token).catch((error: unknown) => {
        isLogged = true;
        throw error;
      });
      if (access.sandboxId !== sandboxId) {
        throw new PermissionDeniedError('The session is for another sandbox.', { code: 'other_sandbox' });
      }
      this.#checkSockets(hello, access);
      this.#visitors.delete(visitor);
      this.#admitted.set(visitor, access);
      const hub = await this.#hubs.find(hello, access);
      this.#admitted.delete(visitor);
      if (!visitor.isOpen) return;
      // Others of the session may have come in meanwhile.
      this.#checkSockets(hello, access);
      const renew = async (token: string) => this.#renewed(hello, access, await authorize(token));
      hub.attach({ socket: visitor.socket, hello, access, order, renew });
      visitor.release();
    } catch (error) {
      if (isLogged) visitor.refuse(error);
      else this.#refuse(visitor, sandboxId, error);
    } finally {
      this.#visitors.delete(visitor);
      this.#admitted.delete(visitor);
    }
  }

  /** A socket stays with whom it was let in for; another session of theirs will do. */
  #renewed(hello: Hello, before: RelayAccess, access: RelayAccess): RelayAccess {
    const isSame = (['sandboxId', 'subject', 'owner', 'user'] as const).every(
      (key) => access[key] === before[key],
    );
    if (!isSame) {
      this.#options.log?.({ event: 'refuse', sandboxId: before.sandboxId, detail: 'other_subject' });
      throw new AuthenticationError('The new token is for somebody else.', { code: 'other_subject' });
    }
    this.#checkSockets(hello, access);
    return access;
  }

  #checkSockets({ clientId }: Hello, { sessionId, subject }: RelayAccess): void {
    const { maxSocketsPerSession = 8, maxSocketsPerSubject = 32 } = this.#options;
    const others = this.#hubs.attached().filter((attachment) => attachment.clientId !== clientId);
    const waiting = [...this.#admitted].filter(([visitor]) => visitor.isOpen);
    const taken = [...others.map(({ access }) => access), ...waiting.map(([, access]) => access)];
    if (taken.filter((access) => access.sessionId === sessionId).length >= maxSocketsPerSession) {
      throw tooMany('sockets of one session', 'too_many_sockets');
    }
    if (taken.filter((access) => access.subject === subject).length >= maxSocketsPerSubject) {
      throw tooMany('sockets of one user', 'too_many_sockets');
    }
  }

  #refuse(visitor: Visitor, sandboxId: string, error: unknown): void {
    const detail = isE2BEdgeError(error) ? error.code : error instanceof Error ? error.name : 'unknown';
    this.#options.log?.({ event: 'refuse', sandboxId, detail });
    visitor.refuse(error);
  }
}
