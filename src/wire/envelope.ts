/** Connect's envelopes: the flags, the length as 32 bits, and a payload; a stream is made of them. */

import { SandboxError } from '../errors.js';

export interface Envelope {
  flags: number;
  payload: Uint8Array;
}

/** Marks a payload that is compressed. */
export const compressedFlag = 0x01;

/** Marks the envelope that ends a stream; its payload is JSON. */
export const endStreamFlag = 0x02;

/** The flags, and the length of what follows. */
export const envelopeHeadBytes = 5;

/** envd sends 32 KiB at once: a length that goes beyond this is not from an envelope's head. */
const maxPayloadBytes = 16 * 1024 * 1024;

export function encodeEnvelope(flags: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const envelope = new Uint8Array(envelopeHeadBytes + payload.length);
  new DataView(envelope.buffer).setUint32(1, payload.length);
  envelope[0] = flags;
  envelope.set(payload, envelopeHeadBytes);
  return envelope;
}

/** Cuts a body into its envelopes. A payload that comes in one piece is a view of that piece: nothing is copied. */
export class EnvelopeSplitter {
  /** An envelope of which a part is still to come, once its length is known. */
  #open: Uint8Array | undefined;
  #filled = 0;
  /** A part of a head. */
  #rest: Uint8Array = new Uint8Array();

  /**
   * The envelopes that end in a piece. Take all of them before the next piece.
   * @throws {SandboxError} code `protocol_error`: a length is out of reason.
   */
  *push(piece: Uint8Array): Generator<Envelope, void, undefined> {
    let bytes = this.#rest.length > 0 ? joined(this.#rest, piece) : piece;
    if (this.#open) {
      const missing = bytes.subarray(0, this.#open.length - this.#filled);
      this.#open.set(missing, this.#filled);
      this.#filled += missing.length;
      if (this.#filled < this.#open.length) return;
      yield envelopeOf(this.#open);
      this.#open = undefined;
      bytes = bytes.subarray(missing.length);
    }
    while (bytes.length >= envelopeHeadBytes) {
      const length = envelopeHeadBytes + payloadLength(bytes);
      if (length > bytes.length) {
        this.#open = new Uint8Array(length);
        this.#open.set(bytes);
        this.#filled = bytes.length;
        bytes = bytes.subarray(bytes.length);
      } else {
        yield envelopeOf(bytes.subarray(0, length));
        bytes = bytes.subarray(length);
      }
    }
    this.#rest = bytes;
  }
}

function payloadLength(head: Uint8Array): number {
  const length = new DataView(head.buffer, head.byteOffset).getUint32(1);
  if (length <= maxPayloadBytes) return length;
  throw new SandboxError(
    `An envelope of ${length} bytes was announced: the stream is not a Connect stream.`,
    {
      code: 'protocol_error',
    },
  );
}

function envelopeOf(bytes: Uint8Array): Envelope {
  return { flags: bytes[0] as number, payload: bytes.subarray(envelopeHeadBytes) };
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}
