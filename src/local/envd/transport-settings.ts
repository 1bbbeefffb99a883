import type { ServerOptions } from 'node:http2';

/**
 * For both ends of the one connection that carries everything of a sandbox. The defaults suit a web server:
 * 64 KiB in flight, and new streams refused while 10 MB are queued, which a few stalled readers would do to all
 * others. More headers than 128 would end a request without a word; the server that passes them on limits their size.
 */
export const transportSettings: Pick<ServerOptions, 'maxHeaderListPairs' | 'maxSessionMemory' | 'settings'> =
  {
    maxHeaderListPairs: 16_384,
    maxSessionMemory: 1024,
    settings: { initialWindowSize: 1 << 20, maxConcurrentStreams: 2 ** 31 - 1, enablePush: false },
  };

/** The window of the connection as a whole, in bytes. */
export const connectionWindow: number = 16 << 20;
