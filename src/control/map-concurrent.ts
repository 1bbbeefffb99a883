import { abortSignal, callback, check, checkOptions, whole } from '../transport/check-options.js';

export interface MapConcurrentOptions {
  /** The most that are under way at a time. Default 10. */
  concurrency?: number;
  /** Aborted, nothing more is started. */
  signal?: AbortSignal;
}

/**
 * `Promise.all` with a bound: calls a function for each item, and resolves to the results in the order of the items.
 * After the first failure, or when the signal is aborted, nothing more is started; it rejects with that reason once
 * those under way have ended, so that nothing goes on behind the caller's back.
 *
 * ```ts
 * const outputs = await mapConcurrent(scripts, { concurrency: 5 }, async (script, _index, signal) => {
 *   await using sandbox = await Sandbox.create({ signal })
 *   return (await sandbox.commands.run(script, { signal })).stdout
 * })
 * ```
 * @param work its `signal` is aborted as soon as the outcome is clear; to look at it makes the end come sooner.
 */
export async function mapConcurrent<Item, Result>(
  items: Iterable<Item>,
  options: MapConcurrentOptions,
  work: (item: Item, index: number, signal: AbortSignal) => Result | Promise<Result>,
): Promise<Result[]> {
  check('mapConcurrent: items', items, ['an array, or another iterable', isIterable]);
  checkOptions('mapConcurrent', options, { concurrency: whole(1), signal: abortSignal });
  check('mapConcurrent: work', work, callback);
  const { concurrency = 10, signal: outer } = options;
  const queue = Array.from(items);
  const controller = new AbortController();
  const { signal } = controller;
  const onAbort = (): void => controller.abort(outer?.reason);
  outer?.addEventListener('abort', onAbort, { once: true });
  if (outer?.aborted) onAbort();

  const results: Result[] = [];
  const entries = queue.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of entries) {
      if (signal.aborted) return;
      try {
        results[index] = await work(item, index, signal);
      } catch (error) {
        // The first reason stays; later ones are its consequences.
        controller.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, queue.length) }, worker));
  outer?.removeEventListener('abort', onAbort);
  signal.throwIfAborted();
  return results;
}

function isIterable(value: unknown): boolean {
  return Symbol.iterator in Object(value);
}
