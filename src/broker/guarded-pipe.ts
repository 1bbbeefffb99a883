/** A body of known length that nobody has to look at, let through for as long as its session lasts. */

import { pipeFixedLength } from './fixed-length.js';
import type { StreamGuard } from './guarded-stream.js';
import { keepSandbox, watchLife } from './session-life.js';

/**
 * Has the runtime pass it on, where it can: undefined where not. What of it came through is not known where it ends before
 * its end. A caller who leaves ends it without a word where that ends the request, as it does in workerd.
 */
export function guardPipe(
  body: ReadableStream<Uint8Array>,
  length: number,
  { life, signal, onEnd }: Pick<StreamGuard, 'life' | 'signal'> & Required<Pick<StreamGuard, 'onEnd'>>,
): ReadableStream<Uint8Array> | undefined {
  const over = new AbortController();
  const pipe = pipeFixedLength(body, length, AbortSignal.any([over.signal, ...(signal ? [signal] : [])]));
  if (!pipe) return undefined;
  const stops = [watchLife(life, (reason) => over.abort(reason)), keepSandbox(life)];
  const stop = (): void => {
    for (const each of stops) each();
  };
  pipe.ended.finally(stop).then(
    () => onEnd('done'),
    (error) => {
      // What comes out of the pipe is a copy, without its class.
      if (over.signal.aborted) onEnd('cut', over.signal.reason);
      else onEnd(signal?.aborted ? 'left' : 'broken', error);
    },
  );
  return pipe.readable;
}
