import { equal, ok, rejects } from './assert.js';
import type { Context, Runtime, Suite } from './case.js';

/** What tells no more of a failure than that there was one. */
const unknowing: Runtime[] = ['workerd', 'chromium'];

/** What a lost answer is called: by the runtime, or by the broker that lost it. */
function lostCode({ via, runtime }: Context): string {
  if (via === 'session') return 'upstream_unavailable';
  return unknowing.includes(runtime) ? 'connection_failed' : 'connection_lost';
}

export const retries: Suite = {
  name: 'retries',
  cases: [
    {
      name: 'a lost answer to what may be repeated is asked for again',
      async run({ sandbox, env, observer }) {
        const { sandboxId, commands, files } = await sandbox(env.observed);
        await observer.swallow(sandboxId, '/process.Process/List', 1);
        equal(await commands.list(), [], 'processes');
        equal(await observer.seen(sandboxId, '/process.Process/List'), 2, 'requests of list');
        await observer.swallow(sandboxId, '/files?', 1);
        await files.write('a.txt', 'alpha');
        await observer.swallow(sandboxId, '/files?', 2);
        equal(await files.read('a.txt'), 'alpha', 'the file');
        equal(await observer.seen(sandboxId, '/files?'), 5, 'requests of write and read');
        await observer.swallow(sandboxId, '/filesystem.Filesystem/Stat', 1);
        equal((await files.getInfo('a.txt')).size, 5, 'size');
      },
    },
    {
      name: 'a lost answer to what changes something is not: it was done, once',
      needs: ['single-sends'],
      async run(context) {
        const { sandbox, env, observer, errors } = context;
        const { sandboxId, commands, files } = await sandbox(env.observed);
        await files.write('old', 'x');
        await observer.swallow(sandboxId, '/filesystem.Filesystem/Move', 1);
        const error = await rejects(files.rename('old', 'new'), errors.ConnectionError, lostCode(context));
        equal(
          [error.uncertain, error.retryable, error.attempts],
          [true, false, 1],
          'uncertain, retryable, attempts',
        );
        equal(await observer.seen(sandboxId, '/filesystem.Filesystem/Move'), 1, 'requests of rename');
        equal(await files.exists('new'), true, 'it was renamed');

        await observer.swallow(sandboxId, '/process.Process/Start', 1);
        const lost = await rejects(commands.run('echo x >> count; sleep 1'), errors.ConnectionError);
        equal([lost.uncertain, lost.retryable], [true, false], 'uncertain, retryable');
        equal(await observer.seen(sandboxId, '/process.Process/Start'), 1, 'requests of run');
      },
    },
    {
      name: 'input whose answer is lost is not sent twice',
      needs: ['single-sends'],
      async run({ sandbox, env, observer, errors }) {
        const { sandboxId, commands } = await sandbox(env.observed);
        const cat = await commands.run('cat', { background: true, stdin: true });
        await observer.swallow(sandboxId, '/process.Process/SendInput', 1);
        await rejects(cat.sendStdin('once'), errors.ConnectionError, 'input_uncertain');
        await cat.closeStdin();
        equal((await cat.wait()).stdout, 'once', 'what arrived');
      },
    },
    {
      name: 'a refusal for now (429) is taken back later, whatever was asked',
      async run({ sandbox, env, observer }) {
        const { sandboxId, commands, files } = await sandbox(env.observed);
        await observer.refuse(sandboxId, '/process.Process/Start', 2, 429, '0');
        equal((await commands.run('echo x')).stdout, 'x\n', 'stdout');
        await observer.refuse(sandboxId, '/filesystem.Filesystem/MakeDir', 1, 429);
        equal(await files.makeDir('d'), true, 'makeDir');
        equal(await observer.seen(sandboxId, '/filesystem.Filesystem/MakeDir'), 2, 'requests of makeDir');
      },
    },
    {
      name: 'a server in trouble (503) is asked again for what may be repeated',
      async run({ sandbox, env, observer, errors }) {
        const { sandboxId, commands, files } = await sandbox(env.observed);
        await observer.refuse(sandboxId, '/process.Process/List', 2, 503);
        equal(await commands.list(), [], 'processes');
        equal(await observer.seen(sandboxId, '/process.Process/List'), 3, 'requests of list');
        await observer.refuse(sandboxId, '/filesystem.Filesystem/MakeDir', 1, 503);
        await rejects(files.makeDir('d'), errors.E2BEdgeError);
        equal(await observer.seen(sandboxId, '/filesystem.Filesystem/MakeDir'), 1, 'requests of makeDir');
      },
    },
    {
      name: 'there are as many as was said',
      async run({ sandbox, env, observer, errors }) {
        const { sandboxId, files, commands } = await sandbox(env.observed, { retries: 1 });
        await observer.refuse(sandboxId, '/process.Process/List', 2, 503);
        const error = await rejects(commands.list(), errors.E2BEdgeError);
        equal(error.attempts, 2, 'attempts');
        await observer.refuse(sandboxId, '/files?', 2, 429, '0');
        const refused = await rejects(files.read('/etc/hostname'), errors.RateLimitError, 'rate_limited');
        equal(
          [refused.attempts, refused.retryable, refused.statusCode],
          [2, true, 429],
          'attempts, retryable, status',
        );
      },
    },
    {
      name: 'the wait for one ends with the signal',
      async run({ sandbox, env, observer }) {
        const controller = new AbortController();
        const onRetry = () => controller.abort(new Error('enough'));
        const { sandboxId, commands } = await sandbox(env.observed, { onRetry });
        await observer.refuse(sandboxId, '/process.Process/List', 9, 429, '30');
        const { signal } = controller;
        const reason = await commands.list({ signal }).catch((error: unknown) => error);
        ok(reason === signal.reason, `it rejected with ${String(reason)}`);
        equal(await observer.seen(sandboxId, '/process.Process/List'), 1, 'requests');
      },
    },
    {
      name: 'a connection that is not made is tried again where the runtime tells so, whatever was asked',
      via: 'key',
      async run({ edge, key, runtime }) {
        const retried: string[] = [];
        const error = await rejects(
          edge.Sandbox.create({
            ...key,
            apiUrl: 'http://127.0.0.1:1965',
            retries: 2,
            idempotencyKey: false,
            onRetry: ({ error }) => {
              retried.push((error as { code?: string }).code ?? error.name);
            },
          }),
          edge.ConnectionError,
          'connection_failed',
        );
        const told = !unknowing.includes(runtime);
        equal(error.uncertain, !told, 'uncertain');
        equal(error.retryable, told, 'retryable');
        equal(error.attempts, told ? 3 : 1, 'attempts');
        equal(retried, told ? ['connection_failed', 'connection_failed'] : [], 'retries');
      },
    },
  ],
};
