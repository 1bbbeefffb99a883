/** Input on its way to one terminal: in order, one call at a time, and each byte with a known fate. */

import { isE2BEdgeError } from '../errors.js';
import { interrupted, interruptSignal } from '../wire/interrupt-key.js';

/** Input that was accepted and will not be, or may not have been, executed. */
export interface LostRange {
  kind: 'not_executed' | 'uncertain';
  from: number;
  to: number;
  reason: string;
}

/** Who is told of what became of a client's input. */
export interface InputListener {
  onLost(range: LostRange): void;
  onSettled(offset: number): void;
}

/** The input of one client; it outlives the client's sockets. */
export class InputClient {
  /** Everything below was accepted. */
  have = 0;
  /** Everything below has its fate: executed, or in `lost`. */
  settled = 0;
  /** Kept to be told again to a client whose socket dropped when it was told. */
  lost: LostRange[] = [];
  /** The client's present socket. */
  listener: InputListener | undefined;
}

interface Chunk {
  client: InputClient;
  from: number;
  data: Uint8Array;
}

/** The kernel takes in ~16 KB for a program that does not read; a longer call would block for it. */
const maxCallBytes = 16 * 1024;
/** Single keys that wait are put together up to this: a byte of its own takes hundreds of memory. */
const maxChunkBytes = 1024;
/** More than one client can have unsettled: it bounds what clients leave behind at a program that does not read. */
const maxChunks = 1024;
const maxLostRanges = 32;

export class InputQueue {
  readonly #execute: (data: Uint8Array) => Promise<void>;
  #queue: Chunk[] = [];
  /** The calls under way: one, and the interrupt keys that came meanwhile. */
  readonly #inFlight: Set<Promise<void>> = new Set();
  #ended: string | undefined;

  constructor(execute: (data: Uint8Array) => Promise<void>) {
    this.#execute = execute;
  }

  /**
   * Accepts the bytes of a client from its `have` on. An interrupt key takes the place of all that waits, and goes at
   * once: the channel knows how to get it past a call that is stalled.
   */
  push(client: InputClient, data: Uint8Array): void {
    const interrupts = interruptSignal(data) !== undefined;
    if (interrupts) this.#dropAll(interrupted);
    const waiting = this.#queue.length + this.#inFlight.size;
    const refusal = this.#ended ?? (waiting > maxChunks ? 'too much input waits' : undefined);
    if (refusal !== undefined) {
      this.refuse(client, data.length, refusal);
      return;
    }
    const from = client.have;
    client.have += data.length;
    // A copy: the host may use the message's memory again.
    const chunk = { client, from, data: data.slice() };
    if (interrupts) {
      this.#start(client, [chunk]);
      return;
    }
    const last = this.#queue.at(-1);
    if (last?.client === client && last.data.length + data.length <= maxChunkBytes) {
      last.data = joined([last.data, data]);
    } else {
      this.#queue.push(chunk);
    }
    this.#next();
  }

  /** Accepts bytes of a client that will not be executed. */
  refuse(client: InputClient, length: number, reason: string): void {
    const from = client.have;
    client.have += length;
    lose(client, { kind: 'not_executed', from, to: client.have, reason });
    settle(client, client.settled);
  }

  /** Takes back what a client has queued; the call in flight goes on. */
  drop(client: InputClient, reason: string): void {
    const first = this.#queue.find((chunk) => chunk.client === client);
    if (!first) return;
    this.#queue = this.#queue.filter((chunk) => chunk.client !== client);
    lose(client, { kind: 'not_executed', from: first.from, to: client.have, reason });
    settle(client, client.settled);
  }

  /** Takes nothing more. Resolves when the fate of what is in flight is known. */
  async end(reason: string): Promise<void> {
    this.#ended = reason;
    this.#dropAll(reason);
    await Promise.all(this.#inFlight);
  }

  #dropAll(reason: string): void {
    for (const client of new Set(this.#queue.map((chunk) => chunk.client))) this.drop(client, reason);
  }

  #next(): void {
    const first = this.#queue[0];
    if (first && this.#inFlight.size === 0) this.#start(first.client, this.#take(first.client));
  }

  #start(client: InputClient, chunks: Chunk[]): void {
    const call = this.#call(client, chunks, [...this.#inFlight].at(-1)).then(() => {
      this.#inFlight.delete(call);
      this.#next();
    });
    this.#inFlight.add(call);
  }

  /** The chunks of the client at the front, as many as go into one call. */
  #take(client: InputClient): Chunk[] {
    let size = 0;
    const end = this.#queue.findIndex((chunk) => {
      size += chunk.data.length;
      return chunk.client !== client || size > maxCallBytes;
    });
    return this.#queue.splice(0, end === -1 ? this.#queue.length : Math.max(end, 1));
  }

  /** @param before what has its fate first: what is settled is settled up to an offset. */
  async #call(client: InputClient, chunks: Chunk[], before: Promise<void> | undefined): Promise<void> {
    const data = joined(chunks.map((chunk) => chunk.data));
    const from = chunks[0]?.from ?? 0;
    const to = from + data.length;
    let kind: LostRange['kind'] | undefined;
    try {
      await this.#execute(data);
    } catch (error) {
      kind = isE2BEdgeError(error, 'input_not_executed') ? 'not_executed' : 'uncertain';
    }
    await before;
    if (kind) {
      lose(client, { kind, from, to, reason: 'the sandbox did not take the input' });
      // What follows was typed in the belief that this had arrived.
      this.drop(client, 'input before it was lost');
    }
    settle(client, to);
  }
}

function joined(parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

function lose(client: InputClient, range: LostRange): void {
  client.lost.push(range);
  if (client.lost.length > maxLostRanges) {
    const [first, second] = client.lost.splice(0, 2) as [LostRange, LostRange];
    client.lost.unshift({ ...second, kind: 'uncertain', from: first.from });
  }
  client.listener?.onLost(range);
}

/** Moves on to an offset, and over the lost ranges that start there. */
function settle(client: InputClient, offset: number): void {
  let settled = Math.max(client.settled, offset);
  for (const { from, to } of client.lost) if (from <= settled) settled = Math.max(settled, to);
  if (settled === client.settled) return;
  client.settled = settled;
  client.listener?.onSettled(settled);
}
