/** The application's store as the broker uses it: it never hangs, and what goes wrong there makes the broker refuse. */

import { abortable, withDeadline } from '../transport/deadline.js';
import { misconfigured } from './refusals.js';

const storeTimeoutMs = 5_000;

/**
 * Waits for a store.
 * @throws `broker_misconfigured` with the store's own error as the cause.
 */
export async function askStore<T>(what: string, call: () => Promise<T> | T): Promise<T> {
  try {
    const answer = call();
    if (!isPromise(answer)) return answer;
    return await withDeadline({ requestTimeoutMs: storeTimeoutMs }, 'store', (signal) =>
      abortable(answer, signal),
    );
  } catch (cause) {
    throw misconfigured(`The store did not ${what}`, cause);
  }
}

/** A key that tells nothing of what it is of, and is as short as every store wants it. */
export async function storeKey(kind: string, id: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(id));
  return `${kind}:${Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

function isPromise<T>(value: Promise<T> | T): value is Promise<T> {
  return typeof (value as { then?: unknown } | undefined | null)?.then === 'function';
}
