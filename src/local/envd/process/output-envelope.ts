import type { OutputKind } from './spawned.js';

/** Field numbers in `ProcessEvent.DataEvent`. */
const fieldOf: Record<OutputKind, number> = { stdout: 1, stderr: 2, pty: 3 };
const lengthDelimited = 2;
/** `event` in `StartResponse` and in `ConnectResponse`, `data` in `ProcessEvent`. */
const [eventField, dataField] = [1, 2];
const envelopeHeader = 5;

/**
 * Output as an envelope with a binary `StartResponse` (or `ConnectResponse`, which is the same) in it. By hand,
 * because a message's encoder copies the bytes once for each level that they are nested in, and this is where all
 * the bytes are.
 */
export function outputEnvelope(kind: OutputKind, chunk: Uint8Array): Uint8Array {
  const data = 1 + varintLength(chunk.length) + chunk.length;
  const event = 1 + varintLength(data) + data;
  const message = 1 + varintLength(event) + event;
  const envelope = Buffer.allocUnsafe(envelopeHeader + message);
  envelope.writeUInt8(0, 0);
  envelope.writeUInt32BE(message, 1);
  let at = envelopeHeader;
  at = writeField(envelope, at, eventField, event);
  at = writeField(envelope, at, dataField, data);
  at = writeField(envelope, at, fieldOf[kind], chunk.length);
  envelope.set(chunk, at);
  return envelope;
}

function writeField(buffer: Buffer, at: number, field: number, length: number): number {
  let next = buffer.writeUInt8((field << 3) | lengthDelimited, at);
  let rest = length;
  for (; rest > 0x7f; rest >>>= 7) next = buffer.writeUInt8((rest & 0x7f) | 0x80, next);
  return buffer.writeUInt8(rest, next);
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest > 0x7f; rest >>>= 7) length++;
  return length;
}
