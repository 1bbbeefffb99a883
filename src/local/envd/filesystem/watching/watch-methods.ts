import type { MessageInitShape } from '@bufbuild/protobuf';
import type { HandlerContext, ServiceImpl } from '@connectrpc/connect';
import type {
  Filesystem,
  FilesystemEvent,
  WatchDirResponseSchema,
} from '../../../../wire/gen/filesystem/filesystem_pb.js';
import { keepaliveMs } from '../../keepalive.js';
import type { PathSpace } from '../../paths.js';
import { Watchers } from './watchers.js';

type Methods = Pick<
  ServiceImpl<typeof Filesystem>,
  'watchDir' | 'createWatcher' | 'getWatcherEvents' | 'removeWatcher'
>;

/** Watching, as a stream and by asking again and again. `expand` is what a request's path means. */
export function watchMethods(
  paths: PathSpace,
  expand: (path: string, context: HandlerContext) => string,
): Methods {
  const watchers = new Watchers(paths);
  return {
    async *watchDir(request, context) {
      const { events, close } = await watchers.open(expand(request.path, context), request);
      // Not only in `finally`: connect-node waits for ever to write to a client that left while its window was full.
      context.signal.addEventListener('abort', close, { once: true });
      try {
        context.signal.throwIfAborted();
        yield response('start', {});
        const silenceMs = keepaliveMs(context.requestHeader);
        for (;;) {
          const next: FilesystemEvent[] = await events.next(context.signal, silenceMs);
          if (next.length === 0) yield response('keepalive', {});
          for (const event of next) yield response('filesystem', event);
        }
      } finally {
        close();
      }
    },

    async createWatcher(request, context) {
      const watcher = await watchers.open(expand(request.path, context), request);
      return { watcherId: watchers.keep(watcher) };
    },

    getWatcherEvents: (request) => ({ events: watchers.kept(request.watcherId).events.drain() }),

    removeWatcher(request) {
      watchers.remove(request.watcherId);
      return {};
    },
  };
}

type Response = MessageInitShape<typeof WatchDirResponseSchema>;
type Event = NonNullable<Response['event']>;

function response<C extends Event['case'] & string>(
  name: C,
  value: Extract<Event, { case: C }>['value'],
): Response {
  return { event: { case: name, value } as Event };
}
