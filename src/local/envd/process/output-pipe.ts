import { Socket } from 'node:net';
import { readAvailable } from './read-available.js';

/** Largest piece in one event. */
const chunkBytes = 32 << 10;

/** The reading end of a process's stdout or stderr. */
export class OutputPipe {
  readonly socket: Socket;
  /** Resolves once nobody holds the writing end any more and everything was read. */
  readonly closed: Promise<void>;
  readonly #fd: number;
  readonly #onChunk: (chunk: Uint8Array) => void;

  constructor(fd: number, onChunk: (chunk: Uint8Array) => void) {
    this.#fd = fd;
    this.#onChunk = onChunk;
    this.socket = new Socket({ fd, readable: true, writable: false });
    this.socket.on('data', (chunk: Uint8Array) => this.#emit(chunk));
    // The pipe is gone; 'close' follows, and that is what is waited for.
    this.socket.on('error', () => {});
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()));
  }

  /** Reads what is there, and no more. */
  finish(): void {
    if (!this.socket.destroyed && !this.socket.isPaused()) this.#emit(readAvailable(this.#fd));
    this.socket.destroy();
  }

  #emit(data: Uint8Array): void {
    for (let at = 0; at < data.length; at += chunkBytes) this.#onChunk(data.subarray(at, at + chunkBytes));
  }
}
