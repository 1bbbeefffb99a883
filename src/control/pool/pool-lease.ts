/// <reference lib="esnext.disposable" preserve="true" />

import { asyncDispose } from '../../wire/async-dispose.js';

/** A sandbox of a pool, for as long as one has it to oneself. */
export interface PoolLease<S> extends AsyncDisposable {
  readonly sandbox: S;
  /**
   * Gives the sandbox back, as the end of an `await using` block does. Resolves when the pool has dealt with it, and
   * never rejects: what fails then is the pool's concern. A second call does nothing.
   */
  release(): Promise<void>;
  /** The same, but the sandbox is killed, whatever the pool would do with it. */
  discard(): Promise<void>;
}

/** @param giveBack called once, with whether the sandbox is to be killed. */
export function poolLease<S>(sandbox: S, giveBack: (discard: boolean) => Promise<void>): PoolLease<S> {
  let given: Promise<void> | undefined;
  const give = (discard: boolean): Promise<void> => {
    given ??= giveBack(discard);
    return given;
  };
  const release = (): Promise<void> => give(false);
  return { sandbox, release, discard: () => give(true), [asyncDispose]: release };
}
