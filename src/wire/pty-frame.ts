/**
 * The frames of the terminal protocol `e2b-edge.pty.v1`. One frame is one binary WebSocket message:
 * `type u8 · offset u64 big-endian · payload`, at most 64 KiB in all.
 */

import { SandboxError } from '../errors.js';

/** The WebSocket subprotocol. It names the protocol and nothing else: subprotocols end up in logs. */
export const ptyProtocol = 'e2b-edge.pty.v1';

/** What a frame is. The offset means another thing in each; 0 where nothing is said. */
export const FrameType = {
  /** Client, first and within 5 s: who it is and what it has. */
  hello: 1,
  /** Relay: the answer to HELLO. */
  welcome: 2,
  /** Relay: output; the offset is that of its first byte in the epoch. */
  out: 3,
  /** Client: input, at most 1 KiB; the offset is that of its first byte, per epoch and client. */
  in: 4,
  /** Both: everything below the offset was taken in (output), or is settled (input). */
  ack: 5,
  /** Client: the wished size; the offset is its sequence number on this socket. */
  resize: 6,
  /** Relay: the size in force from the offset of output on. */
  size: 7,
  /** Relay: now writer or viewer; the offset is where the accepted input ends. Client: asks to be the writer. */
  mode: 8,
  /** Both: asks for a PONG. */
  ping: 9,
  /** Both: the answer to PING, with its offset. */
  pong: 10,
  /** Client: a new token for this socket, which goes on by it. */
  refresh: 11,
  /** Relay: output that is gone; the offset is that of the next byte that will come. */
  gap: 12,
  /** Relay: input from the offset on that was not executed and will not be. */
  notExecuted: 13,
  /** Relay: input from the offset on that may or may not have been executed. */
  uncertain: 14,
  /** Relay: the program ended; the offset is the end of its output. */
  exit: 15,
  /** Relay, before it closes: the reason; the offset is where the accepted input ends. */
  error: 16,
} as const;

export type FrameType = (typeof FrameType)[keyof typeof FrameType];

export interface Frame {
  type: FrameType;
  offset: number;
  payload: Uint8Array;
}

const headerBytes = 9;
export const maxFrameBytes: number = 64 * 1024;
/** The most output that one frame carries. */
export const maxPayloadBytes: number = maxFrameBytes - headerBytes;
/** The most input that one IN carries. */
export const maxInputBytes = 1024;
/** How much input a client sends ahead of the relay's ACK. */
export const inputWindowBytes: number = 64 * 1024;

const highWord = 2 ** 32;
const lastType = FrameType.error;
const empty: Uint8Array = new Uint8Array(0);

/** @throws {SandboxError} code `protocol_error` when it is not a frame. */
export function encodeFrame(type: FrameType, offset = 0, payload: Uint8Array = empty): Uint8Array {
  const { message, room } = frameWithRoom(type, offset, payload.length);
  room.set(payload);
  return message;
}

/**
 * A frame whose payload is still to be written into `room`: it need not be put together elsewhere first.
 * @throws {SandboxError} code `protocol_error` when it is not a frame.
 */
export function frameWithRoom(
  type: FrameType,
  offset: number,
  payloadBytes: number,
): { message: Uint8Array; room: Uint8Array } {
  if (!Number.isSafeInteger(offset) || offset < 0) throw protocolError(`${offset} is no offset`);
  if (payloadBytes > maxPayloadBytes) throw protocolError(`a frame of ${payloadBytes} bytes is too long`);
  const message = new Uint8Array(headerBytes + payloadBytes);
  const view = new DataView(message.buffer);
  view.setUint8(0, type);
  view.setUint32(1, Math.floor(offset / highWord));
  view.setUint32(5, offset % highWord);
  return { message, room: message.subarray(headerBytes) };
}

/**
 * The payload is a view of the message, not a copy.
 * @throws {SandboxError} code `protocol_error` when it is not a frame.
 */
export function decodeFrame(message: Uint8Array | string): Frame {
  if (typeof message === 'string') throw protocolError('a text message came');
  if (message.length < headerBytes) throw protocolError(`a message of ${message.length} bytes is too short`);
  if (message.length > maxFrameBytes) throw protocolError(`a message of ${message.length} bytes is too long`);
  const view = new DataView(message.buffer, message.byteOffset, headerBytes);
  const type = view.getUint8(0);
  if (type < FrameType.hello || type > lastType) throw protocolError(`${type} is no type of frame`);
  const offset = view.getUint32(1) * highWord + view.getUint32(5);
  // Beyond 2^53 a number cannot count single bytes; at 1 GB/s that takes 285 years.
  if (!Number.isSafeInteger(offset)) throw protocolError('the offset is beyond 2^53');
  return { type: type as FrameType, offset, payload: message.subarray(headerBytes) };
}

/** The other side does not speak the protocol. */
export function protocolError(what: string): SandboxError {
  return new SandboxError(`Not ${ptyProtocol}: ${what}.`, { code: 'protocol_error' });
}
