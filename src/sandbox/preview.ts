import { isE2BEdgeError } from '../errors.js';
import { absoluteUrl } from '../transport/absolute-url.js';
import type { CallOptions } from '../transport/call-options.js';

/** What listens at a port of the sandbox, open to this page's browser. */
export interface Preview {
  /** For a frame of this page: `<iframe src>`. Nobody else's browser can use it. */
  readonly url: string;
  /** Lets the browser's permission run out, within the life of a token (5 minutes by default). */
  close(): void;
}

/** What a broker answers who enters. */
export interface PreviewEntry {
  url: string;
  /** How long the browser is let in, in milliseconds. */
  ttlMs: number;
}

/** Past the time at which a session's token is replaced: then a new one is there. */
const enterAgainAfter = 0.9;
const retryMs = 5_000;

/**
 * Enters, and again before the permission runs out.
 * @param options of the first time: what ends that call does not end what it has opened.
 * @param attach tells when the session is over, and keeps its token fresh until then.
 */
export async function keepPreview(
  enter: (options: CallOptions) => Promise<PreviewEntry>,
  options: CallOptions,
  attach: (onEnd: () => void) => () => void,
): Promise<Preview> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let detach: (() => void) | undefined;

  function close(): void {
    clearTimeout(timer);
    detach?.();
    detach = undefined;
  }
  function again(delayMs: number): void {
    if (detach) timer = setTimeout(renew, delayMs);
  }
  function renew(): void {
    enter({}).then(
      ({ ttlMs }) => again(ttlMs * enterAgainAfter),
      (error: unknown) => (isE2BEdgeError(error) && error.retryable ? again(retryMs) : close()),
    );
  }

  const { url, ttlMs } = await enter(options);
  detach = attach(close);
  again(ttlMs * enterAgainAfter);
  return { url: absoluteUrl(url), close };
}
