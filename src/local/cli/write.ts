import type { Writable } from 'node:stream';

/** Writes, and resolves when there is room for more. Rejects with `EPIPE` when nobody reads. */
export function write(to: Writable, data: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    // The callback has it, too; without a listener it would end the process.
    if (to.listenerCount('error') === 0) to.on('error', () => {});
    to.write(data, (error) => (error ? reject(error) : resolve()));
  });
}
