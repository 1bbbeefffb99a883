import type { Socket } from 'node:net';
import { setImmediate, setTimeout } from 'node:timers/promises';
import type { LegFate, Trouble } from './fate.js';
import { FrameScanner } from './frame-scanner.js';

/** More pieces of one write are no other case, only slower. */
const maxPieces = 64;

export interface LegEvents {
  /** Bytes were let through. */
  onBytes(count: number): void;
  /** Its trouble begins: in which frame, or -1 for the upgrade, and how many bytes into it. */
  onTrouble(trouble: Trouble, frame: number, into: number): void;
  /** The whole connection is to end. */
  onEnd(how: 'cut' | 'reset'): void;
}

/** One direction of a connection. */
export class Leg {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #fate: LegFate;
  readonly #events: LegEvents;
  readonly #scanner = new FrameScanner();
  #trouble: LegFate['trouble'];
  #isHeld = false;
  /** Nothing goes through any more. */
  #isOver = false;

  constructor(from: Socket, to: Socket, fate: LegFate, events: LegEvents) {
    this.#from = from;
    this.#to = to;
    this.#fate = fate;
    this.#events = events;
    this.#trouble = fate.trouble;
    from.setNoDelay(true);
    from.on('data', (data) => {
      if (this.#isOver) return;
      from.pause();
      void this.#pass(data).then(() => this.#isHeld || from.resume());
    });
    from.on('end', () => to.end());
  }

  /** Lets nothing through any more, and closes nothing: a cable that is pulled. */
  hold(): void {
    this.#isHeld = true;
    this.#from.pause();
  }

  async #pass(data: Buffer): Promise<void> {
    const trouble = this.#trouble;
    const before = trouble && this.#scanner.pass(data, trouble.at);
    if (before === undefined) return this.#write(data);
    this.#trouble = undefined;
    await this.#write(data.subarray(0, before));
    if (this.#to.destroyed) return;
    this.#events.onTrouble(trouble as Trouble, this.#scanner.frame, this.#scanner.into);
    await this.#happen(trouble as Trouble);
    if (!this.#isOver) await this.#write(data.subarray(before));
  }

  async #happen(trouble: Trouble): Promise<void> {
    switch (trouble.does) {
      case 'cut':
        return this.#cut();
      case 'reset':
        this.#isOver = true;
        return this.#events.onEnd('reset');
      case 'half-close':
        this.#isOver = true;
        this.#to.end();
        await setTimeout(trouble.ms);
        return this.#events.onEnd('cut');
      case 'stall':
        await setTimeout(trouble.ms);
        if (trouble.after === 'cut') this.#cut();
    }
  }

  /** What was let through shall arrive: a reset would take it back. */
  #cut(): void {
    this.#isOver = true;
    this.#to.end(() => this.#events.onEnd('cut'));
  }

  async #write(data: Buffer): Promise<void> {
    const { delayMs, splitBytes = data.length } = this.#fate;
    if (delayMs !== undefined) await setTimeout(delayMs);
    let rest = data;
    for (let pieces = 1; rest.length > 0 && !this.#to.destroyed; pieces++) {
      const piece = pieces < maxPieces ? rest.subarray(0, splitBytes) : rest;
      rest = rest.subarray(piece.length);
      this.#events.onBytes(piece.length);
      if (!this.#to.write(piece)) await drained(this.#to);
      if (rest.length > 0) await setImmediate();
    }
  }
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
}
