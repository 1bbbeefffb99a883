import { readSync } from 'node:fs';

/** How much of what was written before a kill is still read: what a pipe holds. */
const drainedBytes = 64 << 10;

/** Reads what is there at this moment, without waiting for more; others may write to it for ever. */
export function readAvailable(fd: number): Buffer {
  const buffer = Buffer.allocUnsafe(drainedBytes);
  let length = 0;
  try {
    for (let read = -1; read !== 0 && length < buffer.length; length += read) {
      read = readSync(fd, buffer, length, buffer.length - length, null);
    }
  } catch {
    // EAGAIN: nothing more. EIO: nor will there be.
  }
  return buffer.subarray(0, length);
}
