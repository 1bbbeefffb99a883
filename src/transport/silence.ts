/** Tells when something that is waited for does not come. */
export interface Silence {
  /** From now on something is waited for. */
  begin(): void;
  /** It came. */
  broken(): void;
  /** Nothing is waited for any more. */
  end(): void;
}

/**
 * Calls `onTooLong` when one wait lasted `maxMs`; 0 is for ever. One timer looks now and then whether it has: to set one
 * for each message of a stream, and to clear it, takes longer than to read it.
 */
export function watchSilence(maxMs: number, onTooLong: () => void): Silence {
  let since: number | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = (): void => {
    timer = undefined;
    if (since === undefined) return;
    const leftMs = since + maxMs - performance.now();
    if (leftMs > 0) timer = setTimeout(look, leftMs);
    else onTooLong();
  };
  return {
    begin: () => {
      since = performance.now();
      if (maxMs > 0) timer ??= setTimeout(look, maxMs);
    },
    broken: () => {
      since = undefined;
    },
    end: () => clearTimeout(timer),
  };
}
