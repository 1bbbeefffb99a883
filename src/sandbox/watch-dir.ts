import { keepaliveSeconds, maxSilenceMs } from '../channel/process-stream.js';
import { FileNotFoundError, NotFoundError, TimeoutError } from '../errors.js';
import { timeLimit } from '../transport/call-options.js';
import type { Connection } from '../transport/connection.js';
import type { OpenStream } from '../transport/stream.js';
import { userHeaders } from '../transport/user.js';
import type { WatchDirResponse } from '../wire/messages/filesystem.js';
import type { WatchOptions } from './watch-options.js';

/** The stream of a watch; its first message, that it has begun, is read. */
export type WatchStream = OpenStream<WatchDirResponse>;

/** Opens the stream, as often as it takes: what comes later gets the time that is left. */
export type WatchOpener = (signal: AbortSignal) => Promise<WatchStream>;

/** What opens the streams of one watch (`Filesystem.WatchDir`). */
export function watchOpener(connection: Connection, path: string, options: WatchOptions): WatchOpener {
  const { recursive = false, includeEntry = false, allowNetworkMounts = false, requestTimeoutMs } = options;
  const limitMs = timeLimit(options.timeoutMs ?? 0, 'timeoutMs');
  const until = limitMs > 0 ? Date.now() + limitMs : undefined;
  const request = { path, recursive, includeEntry, allowNetworkMounts };
  const headers = {
    ...userHeaders(connection, options.user),
    'keepalive-ping-interval': String(keepaliveSeconds),
  };
  return async (signal) => {
    const timeoutMs = until === undefined ? 0 : Math.ceil(until - Date.now());
    if (until !== undefined && timeoutMs <= 0) throw watchTimeout();
    const call = { signal, maxSilenceMs, ...(requestTimeoutMs !== undefined && { requestTimeoutMs }) };
    try {
      return await connection.stream(call, 'files.watchDir', (rpc, streamSignal) =>
        rpc.filesystem.watchDir(request, { headers, signal: streamSignal, timeoutMs }),
      );
    } catch (error) {
      throw watchError(error);
    }
  };
}

/** The error of a watch, in the words of files. */
export function watchError(error: unknown): unknown {
  if (error instanceof NotFoundError && error.code === 'not_found') {
    return new FileNotFoundError(error.message, { cause: error });
  }
  return error instanceof TimeoutError && error.code === 'command_timeout' ? watchTimeout(error) : error;
}

function watchTimeout(cause?: unknown): TimeoutError {
  return new TimeoutError('files.watchDir: the time given by timeoutMs is over.', {
    code: 'watch_timeout',
    cause,
  });
}
