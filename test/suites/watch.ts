import { equal, ok, rejects, until } from './assert.js';
import type { AnySandbox, Suite } from './case.js';

type Watch = Awaited<ReturnType<AnySandbox['files']['watchDir']>>;
type Seen = { name: string; type: string; entry?: { path: string; size: number } };

/** Collects what a callback is told. */
function collector(): {
  events: Seen[];
  onEvent: (event: Seen) => void;
  saw(name: string, type: string): boolean;
} {
  const events: Seen[] = [];
  return {
    events,
    onEvent: (event) => void events.push(event),
    saw: (name, type) => events.some((event) => event.name === name && event.type === type),
  };
}

/** Reads a loop to the first event that is looked for; the next time it goes on from there. */
async function next(
  loop: AsyncIterator<{ type: string; name?: string }>,
  type: string,
  name?: string,
): Promise<void> {
  for (;;) {
    const { value, done } = await loop.next();
    ok(!done, `the watch ended before ${type} ${name ?? ''}`);
    if (value.type === type && (name === undefined || value.name === name)) return;
  }
}

const watchPath = '/filesystem.Filesystem/WatchDir';

export const watch: Suite = {
  name: 'watching',
  cases: [
    {
      name: 'tells a callback of everything that happens to an entry',
      async run({ sandbox }) {
        const { files, commands } = await sandbox();
        await files.makeDir('watched');
        const { onEvent, saw, events } = collector();
        const handle = await files.watchDir('watched', onEvent);
        await files.write('watched/a.txt', 'x');
        await until(() => saw('a.txt', 'create') && saw('a.txt', 'write'), 'create and write');
        await commands.run('chmod 600 watched/a.txt');
        await until(() => saw('a.txt', 'chmod'), 'chmod');
        await files.rename('watched/a.txt', 'watched/b.txt');
        await until(() => saw('a.txt', 'rename') && saw('b.txt', 'create'), 'rename');
        await files.remove('watched/b.txt');
        await until(() => saw('b.txt', 'remove'), 'remove');
        equal(
          events.filter((event) => 'entry' in event),
          [],
          'entries, which nobody asked for',
        );
        await handle.stop();
      },
    },
    {
      name: 'tells a loop, and stops on the server when the loop is left',
      async run({ sandbox, env, observer }) {
        const { files, sandboxId } = await sandbox(env.observed);
        await files.makeDir('watched');
        const handle = await files.watchDir('watched');
        equal(await observer.open(sandboxId, watchPath), 1, 'streams while it is watched');
        await files.write('watched/one', '1');
        await files.write('watched/two', '2');
        const seen = new Set<string>();
        for await (const event of handle) {
          if (event.type === 'create') seen.add(event.name);
          if (seen.size === 2) break;
        }
        equal([...seen], ['one', 'two'], 'names, in order');
        await until(async () => (await observer.open(sandboxId, watchPath)) === 0, 'the stream is closed');
      },
    },
    {
      name: 'stops on the server by stop, by the end of a block and by a signal',
      async run({ sandbox, env, observer }) {
        const { files, sandboxId } = await sandbox(env.observed);
        await files.makeDir('watched');
        const closed = (): Promise<void> =>
          until(async () => (await observer.open(sandboxId, watchPath)) === 0, 'the stream is closed');
        const exits: (string | undefined)[] = [];
        const onExit = (error?: Error): void => void exits.push(error?.message);

        const stopped = await files.watchDir('watched', () => undefined, { onExit });
        await stopped.stop();
        await closed();
        await until(() => exits.length === 1, 'onExit after stop');
        await stopped.stop();

        const unread = await files.watchDir('watched', { onExit });
        await unread.stop();
        for await (const _event of unread) throw new Error('a stopped watch tells nothing');
        await closed();

        {
          await using disposed = await files.watchDir('watched', { onExit });
          ok(disposed, 'a handle');
        }
        await closed();
        equal(exits, [undefined, undefined, undefined], 'onExit of watches that were stopped');

        const controller = new AbortController();
        const aborted = await files.watchDir('watched', { onExit, signal: controller.signal });
        const loop = aborted[Symbol.asyncIterator]();
        const failed = loop.next().then(
          () => 'told of something',
          (error: Error) => error.message,
        );
        controller.abort(new Error('enough'));
        equal(await failed, 'enough', 'what the loop throws');
        equal(exits.at(-1), 'enough', 'what onExit is told');
        await closed();
      },
    },
    {
      name: 'watches below as well, also what is made later',
      async run({ sandbox }) {
        const { files } = await sandbox();
        await files.makeDir('top/old');
        const flat = collector();
        const deep = collector();
        const handles: Watch[] = [
          await files.watchDir('top', flat.onEvent),
          await files.watchDir('top', deep.onEvent, { recursive: true }),
        ];
        await files.write('top/old/file', 'x');
        await files.write('top/new/sub/file', 'x');
        await until(() => deep.saw('old/file', 'create') && deep.saw('new/sub/file', 'create'), 'below');
        await until(() => flat.saw('new', 'create'), 'the directory itself');
        equal(
          flat.events.filter(({ name }) => name.includes('/')),
          [],
          'what the flat watch saw below',
        );
        for (const handle of handles) await handle.stop();
      },
    },
    {
      name: 'tells of entries when asked to',
      async run({ sandbox }) {
        const { files } = await sandbox();
        await files.makeDir('watched');
        const { onEvent, events } = collector();
        const handle = await files.watchDir('watched', onEvent, {
          includeEntry: true,
          allowNetworkMounts: true,
        });
        await files.write('watched/f', '12345');
        await until(
          () => events.some(({ type, entry }) => type === 'write' && entry !== undefined),
          'an entry',
        );
        const entry = events.findLast((event) => event.entry)?.entry;
        equal(entry?.path, '/home/user/watched/f', 'path');
        await handle.stop();
      },
    },
    {
      name: 'waits for a callback before the next event',
      async run({ sandbox }) {
        const { files } = await sandbox();
        await files.makeDir('watched');
        let running = 0;
        let most = 0;
        const names: string[] = [];
        const handle = await files.watchDir('watched', async ({ type, name }) => {
          most = Math.max(most, ++running);
          await new Promise((resolve) => setTimeout(resolve, 5));
          running--;
          if (type === 'create') names.push(name);
        });
        const written = ['a', 'b', 'c', 'd'];
        for (const name of written) await files.write(`watched/${name}`, '');
        await until(() => names.length === written.length, 'all four');
        equal(names, written, 'order');
        equal(most, 1, 'callbacks at the same time');
        await handle.stop();
      },
    },
    {
      name: 'ends with the error of its callback',
      async run({ sandbox, env, observer }) {
        const { files, sandboxId } = await sandbox(env.observed);
        await files.makeDir('watched');
        const told: (Error | undefined)[] = [];
        await files.watchDir(
          'watched',
          () => {
            throw new Error('from the callback');
          },
          { onExit: (error) => void told.push(error) },
        );
        await files.write('watched/f', '');
        await until(() => told.length > 0, 'onExit');
        equal(
          told.map((error) => error?.message),
          ['from the callback'],
          'what it is told',
        );
        await until(async () => (await observer.open(sandboxId, watchPath)) === 0, 'the stream is closed');
      },
    },
    {
      name: 'ends when its time is over, and says so',
      async run({ sandbox, errors }) {
        const { files } = await sandbox();
        await files.makeDir('watched');
        const exits: (Error | undefined)[] = [];
        let isOpen = false;
        const error = await rejects(
          async () => {
            const onExit = (error?: Error): void => void exits.push(error);
            const handle = await files.watchDir('watched', { timeoutMs: 500, onExit });
            isOpen = true;
            await next(handle[Symbol.asyncIterator](), 'never');
          },
          errors.TimeoutError,
          'watch_timeout',
        );
        // On a busy machine the time may be over before the watch has begun.
        if (isOpen) equal(exits, [error], 'what onExit is told');
      },
    },
    {
      name: 'comes back to a stream that was lost, and says that there is a gap',
      async run({ sandbox, env, observer }) {
        const { files, sandboxId } = await sandbox(env.observed);
        await files.makeDir('watched');
        const gaps: string[] = [];
        const handle = await files.watchDir('watched', { onGap: ({ reason }) => void gaps.push(reason) });
        const loop = handle[Symbol.asyncIterator]();
        await files.write('watched/before', '');
        await next(loop, 'create', 'before');
        await observer.cut(sandboxId, watchPath);
        await next(loop, 'gap');
        equal(gaps.length, 1, 'gaps that onGap was told of');
        await files.write('watched/after', '');
        await next(loop, 'create', 'after');
        await loop.return?.();
        await until(async () => (await observer.open(sandboxId, watchPath)) === 0, 'the stream is closed');
      },
    },
    {
      name: 'shows a callback no gap',
      async run({ sandbox, env, observer }) {
        const { files, sandboxId } = await sandbox(env.observed);
        await files.makeDir('watched');
        const { onEvent, saw, events } = collector();
        let gaps = 0;
        const handle = await files.watchDir('watched', onEvent, { onGap: () => void gaps++ });
        await observer.cut(sandboxId, watchPath);
        await until(() => gaps === 1, 'the gap');
        await files.write('watched/after', '');
        await until(() => saw('after', 'create'), 'what came after');
        equal(
          events.filter(({ type }) => type === 'gap'),
          [],
          'gaps among the events',
        );
        await handle.stop();
      },
    },
    {
      name: 'does not come back for a callback that would not hear of the gap',
      async run({ sandbox, env, observer, errors }) {
        const { files, sandboxId } = await sandbox(env.observed);
        await files.makeDir('watched');
        const exit = new Promise<Error | undefined>((resolve) => {
          void files
            .watchDir('watched', () => undefined, { onExit: resolve })
            .then(() => observer.cut(sandboxId, watchPath));
        });
        ok((await exit) instanceof errors.ConnectionError, 'what onExit is told');
        equal(await observer.open(sandboxId, watchPath), 0, 'new streams');
      },
    },
    {
      name: 'does not come back where it was told not to, or to what is gone',
      async run({ sandbox, env, observer, errors }) {
        const { files, sandboxId } = await sandbox(env.observed);
        await files.makeDir('watched');
        const once = await files.watchDir('watched', { reconnectMs: 0 });
        const lost = next(once[Symbol.asyncIterator](), 'never');
        await observer.cut(sandboxId, watchPath);
        await rejects(lost, errors.ConnectionError, 'connection_lost');

        const gone = await files.watchDir('watched');
        await files.remove('watched');
        const loop = gone[Symbol.asyncIterator]();
        await next(loop, 'remove', '.');
        await observer.cut(sandboxId, watchPath);
        await rejects(() => next(loop, 'never'), errors.FileNotFoundError, 'file_not_found');
      },
    },
    {
      name: 'ends with the sandbox',
      via: 'key',
      async run({ create, errors }) {
        const sandbox = await create();
        await sandbox.files.makeDir('watched');
        const handle = await sandbox.files.watchDir('watched');
        const loop = handle[Symbol.asyncIterator]();
        const ended = next(loop, 'never');
        ended.catch(() => undefined);
        await sandbox.kill();
        await rejects(ended, errors.SandboxError);
      },
    },
    {
      name: 'refuses what cannot be watched',
      async run({ sandbox, errors }) {
        const { files } = await sandbox();
        await files.write('file', 'x');
        await rejects(files.watchDir('missing'), errors.FileNotFoundError, 'file_not_found');
        await rejects(
          files.watchDir('missing', () => undefined),
          errors.FileNotFoundError,
        );
        await rejects(files.watchDir('file'), errors.InvalidArgumentError, 'invalid_argument');
        const bad: unknown[][] = [
          ['not a callback'],
          [null],
          [() => undefined, null],
          [{ recursive: 'yes' }],
          [{ timeoutMs: -1 }],
          [{ reconnectMs: '1s' }],
          [{ onExit: true }],
          [{ onGap: 1 }],
          [{ includeEntry: 1 }],
          [{ allowNetworkMounts: 0 }],
        ];
        for (const given of bad) {
          await rejects(
            files.watchDir('.', ...(given as never[])),
            errors.InvalidArgumentError,
            'invalid_argument',
          );
        }
      },
    },
    {
      name: 'has one reader',
      async run({ sandbox, errors }) {
        const { files } = await sandbox();
        const byCallback = await files.watchDir('.', () => undefined);
        const byLoop = await files.watchDir('.');
        byLoop[Symbol.asyncIterator]();
        for (const handle of [byCallback, byLoop]) {
          await rejects(async () => {
            for await (const _event of handle) break;
          }, errors.InvalidArgumentError);
          await handle.stop();
        }
      },
    },
  ],
};
