import type { Hello } from '../wire/pty-messages.js';
import { InputClient } from './input-queue.js';
import type { RelayAccess } from './relay-api.js';

const maxClients = 64;

/** Who has typed into one terminal, and how far. */
export class InputClients {
  readonly #clients = new Map<string, InputClient>();

  /** The client of a HELLO, and below which offset its input was accepted: null when that is not known here. */
  take(access: RelayAccess, hello: Hello, epoch: string): { client: InputClient; inputHave: number | null } {
    // With the subject, so that nobody can speak as the client of somebody else.
    const key = JSON.stringify([access.subject, hello.clientId]);
    const known = hello.epoch === undefined || hello.epoch === epoch ? this.#clients.get(key) : undefined;
    const client = known ?? new InputClient();
    this.#clients.delete(key);
    this.#clients.set(key, client);
    const [oldest] = this.#clients.keys();
    if (this.#clients.size > maxClients && oldest !== undefined) this.#clients.delete(oldest);
    return { client, inputHave: known || hello.epoch === undefined ? client.have : null };
  }
}
