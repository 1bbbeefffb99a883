/** Input on its way to the relay: kept until its fate is known, sent again after a drop, never sent stale. */

import { ConnectionError } from '../errors.js';
import { interrupted, interruptSignal } from '../wire/interrupt-key.js';
import { type Frame, FrameType, inputWindowBytes, maxInputBytes } from '../wire/pty-frame.js';
import { parseLostInput } from '../wire/pty-messages.js';

export interface SocketInputOptions {
  /** Sends one IN. */
  transmit: (offset: number, data: Uint8Array) => void;
  /** How long what is typed while the link is down is kept, in milliseconds. */
  heldMs: number;
}

/** The bytes of one call of `send`. */
interface Batch {
  pieces: number;
  error?: Error;
  resolve: () => void;
  reject: (error: Error) => void;
}

interface Piece {
  batch: Batch;
  data: Uint8Array;
  /** Of its first byte, once it was transmitted in this epoch. */
  offset: number;
  transmitted: boolean;
  /** An interrupt key: it goes whatever the window is. */
  interrupts: boolean;
  /** When the link was last known to be good before this was typed, or else when it was typed. */
  since: number;
}

export class SocketInput {
  readonly #options: SocketInputOptions;
  /** In order; the transmitted ones are in front. */
  #pieces: Piece[] = [];
  #up = false;
  /** The offset of the next byte to transmit. */
  #next = 0;
  #settled = 0;
  #ended: string | undefined;
  /** Why nothing is sent for now. */
  #refusal: string | undefined;
  #heldTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: SocketInputOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the terminal took the bytes; rejects with `input_not_executed` or `input_uncertain`. An interrupt key
   * takes the place of all that was not sent yet.
   */
  send(data: Uint8Array): Promise<void> {
    const refusal = this.#ended ?? this.#refusal;
    if (refusal !== undefined) return Promise.reject(notExecuted(refusal));
    if (data.length === 0) return Promise.resolve();
    const interrupts = interruptSignal(data) !== undefined;
    if (interrupts) {
      this.#reject(
        (piece) => !piece.transmitted && !piece.interrupts,
        () => notExecuted(interrupted),
      );
    }
    return new Promise((resolve, reject) => {
      const batch: Batch = { pieces: 0, resolve, reject };
      for (const piece of cut(data)) {
        batch.pieces++;
        const since = Date.now();
        this.#pieces.push({ batch, data: piece, offset: -1, transmitted: false, interrupts, since });
      }
      this.#pump();
      this.#watchHeld();
    });
  }

  /** The link is up. `inputHave` is the relay's; with null, or in another epoch, it cannot know what was in flight. */
  up(inputHave: number | null, sameEpoch: boolean): void {
    this.#up = true;
    clearTimeout(this.#heldTimer);
    if (inputHave === null || !sameEpoch) {
      this.#reject(
        (piece) => piece.transmitted,
        () => uncertain('the relay was started anew'),
      );
    } else {
      for (const piece of this.#pieces) {
        if (piece.offset + piece.data.length > inputHave) piece.transmitted = false;
      }
    }
    this.#next = inputHave ?? 0;
    this.#settled = Math.min(
      this.#next,
      this.#pieces.find((piece) => piece.transmitted)?.offset ?? this.#next,
    );
    this.#expire();
    this.#pump();
  }

  /** From now on nothing is sent, for a reason; without one it is. */
  refuse(reason: string | undefined): void {
    this.#refusal = reason;
    this.#pump();
  }

  /**
   * The link is down; it was last known to be good at a time. What the relay said that it had not taken, from an offset
   * on, is sent again.
   */
  down(lastGood: number, acceptedTo: number = Number.MAX_SAFE_INTEGER): void {
    this.#up = false;
    for (const piece of this.#pieces) {
      piece.since = Math.max(piece.since, lastGood);
      if (piece.offset >= acceptedTo) piece.transmitted = false;
    }
    this.#watchHeld();
  }

  /** The relay knows the fate of everything below; what it did not report as lost was executed. */
  acked(offset: number): void {
    this.#settled = Math.max(this.#settled, offset);
    this.#settle(({ transmitted, offset: from, data }) => transmitted && from + data.length <= offset);
    this.#pump();
  }

  /** The relay reports a range as lost. */
  lost({ type, offset: from, payload }: Frame): void {
    const { to, reason } = parseLostInput(payload);
    const error = () => (type === FrameType.uncertain ? uncertain(reason) : notExecuted(reason));
    this.#reject(
      (piece) => piece.transmitted && piece.offset < to && piece.offset + piece.data.length > from,
      error,
    );
  }

  /** Nothing more is sent. What was transmitted from `acceptedTo` on was not taken by the relay. */
  end(reason: string, acceptedTo: number = Number.MAX_SAFE_INTEGER): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#up = false;
    clearTimeout(this.#heldTimer);
    this.#reject(
      (piece) => !piece.transmitted || piece.offset >= acceptedTo,
      () => notExecuted(reason),
    );
    this.#reject(
      () => true,
      () => uncertain(reason),
    );
  }

  #pump(): void {
    if (!this.#up) return;
    const refusal = this.#refusal;
    if (refusal !== undefined) {
      this.#reject(
        (piece) => !piece.transmitted,
        () => notExecuted(refusal),
      );
      return;
    }
    for (const piece of this.#pieces) {
      if (piece.transmitted) continue;
      const ahead = this.#next - this.#settled + piece.data.length;
      if (ahead > inputWindowBytes && !piece.interrupts) break;
      piece.transmitted = true;
      piece.offset = this.#next;
      this.#next += piece.data.length;
      this.#options.transmit(piece.offset, piece.data);
    }
  }

  /** While the link is down, gives back what has waited too long and was certainly not executed. */
  #watchHeld(): void {
    if (this.#up || this.#ended !== undefined) return;
    clearTimeout(this.#heldTimer);
    const oldest = this.#pieces.find((piece) => !piece.transmitted);
    if (!oldest) return;
    const left = Math.max(0, oldest.since + this.#options.heldMs - Date.now());
    this.#heldTimer = setTimeout(() => {
      this.#expire();
      this.#watchHeld();
    }, left);
  }

  #expire(): void {
    const latest = Date.now() - this.#options.heldMs;
    const error = () => notExecuted('it had waited too long for the link to come back');
    this.#reject((piece) => !piece.transmitted && piece.since <= latest, error);
  }

  #settle(which: (piece: Piece) => boolean): void {
    const settled = this.#pieces.filter(which);
    this.#pieces = this.#pieces.filter((piece) => !which(piece));
    for (const { batch } of settled) finish(batch);
  }

  #reject(which: (piece: Piece) => boolean, error: () => Error): void {
    for (const { batch } of this.#pieces.filter(which)) batch.error ??= error();
    // The rest of a text whose beginning was lost is not sent either.
    const gone = (piece: Piece) => which(piece) || (!piece.transmitted && piece.batch.error !== undefined);
    this.#settle(gone);
  }
}

/** In pieces that go into a frame, as copies: the caller may use its buffer again. The last one is not to look like a key. */
function* cut(data: Uint8Array): Generator<Uint8Array, void, undefined> {
  for (let from = 0; from < data.length; ) {
    const next = from + maxInputBytes;
    const to = interruptSignal(data.subarray(next)) ? next - 1 : next;
    yield data.slice(from, to);
    from = to;
  }
}

function finish(batch: Batch): void {
  batch.pieces--;
  if (batch.pieces > 0) return;
  if (batch.error) batch.reject(batch.error);
  else batch.resolve();
}

function notExecuted(reason: string): ConnectionError {
  return new ConnectionError(`The input was not executed: ${reason}.`, { code: 'input_not_executed' });
}

function uncertain(reason: string): ConnectionError {
  return new ConnectionError(`The input may or may not have been executed: ${reason}.`, {
    code: 'input_uncertain',
  });
}
