import type { Hello } from '../wire/pty-messages.js';
import { InputClient } from './input-queue.js';
import type { RelayAccess } from './relay-api.js';

/** Of one subject: whoever watches must not have the writers forgotten. */
const maxClients = 64;

/** Who has typed into one terminal, and how far. */
export class InputClients {
  readonly #bySubject = new Map<string, Map<string, InputClient>>();

  /** The client of a HELLO, and below which offset its input was accepted: null when that is not known here. */
  take(access: RelayAccess, hello: Hello, epoch: string): { client: InputClient; inputHave: number | null } {
    const { subject } = access;
    // By subject, so that nobody can speak as the client of somebody else.
    const clients = this.#bySubject.get(subject) ?? new Map<string, InputClient>();
    this.#bySubject.set(subject, clients);
    const known =
      hello.epoch === undefined || hello.epoch === epoch ? clients.get(hello.clientId) : undefined;
    const client = known ?? new InputClient();
    clients.delete(hello.clientId);
    clients.set(hello.clientId, client);
    const [oldest] = clients.keys();
    if (clients.size > maxClients && oldest !== undefined) clients.delete(oldest);
    return { client, inputHave: known || hello.epoch === undefined ? client.have : null };
  }
}
