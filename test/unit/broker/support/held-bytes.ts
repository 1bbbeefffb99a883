import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** How much more memory is held after a call than before it, in bytes, with all garbage collected. */
export function heldBytes(call: () => void): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  const { heapUsed } = process.memoryUsage();
  call();
  collect();
  return process.memoryUsage().heapUsed - heapUsed;
}
