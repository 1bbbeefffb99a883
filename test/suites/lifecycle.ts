import { equal, ok, rejects, until } from './assert.js';
import type { Suite } from './case.js';

export const lifecycle: Suite = {
  name: 'lifecycle',
  cases: [
    {
      name: 'creates a sandbox that runs, and kills it',
      via: 'key',
      async run({ create, edge, key }) {
        const sandbox = await create();
        ok(/^[a-z0-9]+$/.test(sandbox.sandboxId), `sandboxId is ${sandbox.sandboxId}`);
        equal(await sandbox.isRunning(), true, 'isRunning');
        equal(await sandbox.kill(), true, 'the first kill');
        equal(await sandbox.isRunning(), false, 'isRunning after kill');
        equal(await sandbox.kill(), false, 'the second kill');
        equal(await edge.Sandbox.kill(sandbox.sandboxId, key), false, 'the static kill after it');
      },
    },
    {
      name: 'is killed at the end of an await-using block',
      via: 'key',
      async run({ create, edge, key }) {
        const sandbox = await create();
        // esbuild and every runtime here know the symbol; the declaration itself is the language's own.
        await sandbox[Symbol.asyncDispose]();
        await rejects(
          edge.Sandbox.getInfo(sandbox.sandboxId, key),
          edge.SandboxNotFoundError,
          'sandbox_not_found',
        );
      },
    },
    {
      name: 'gives metadata and environment to the sandbox and shows them',
      via: 'key',
      async run({ create }) {
        const metadata = { purpose: 'a test & more', 'odd key': 'ünï/code?=' };
        const sandbox = await create({ metadata, envs: { GREETING: 'hello there' } });
        const info = await sandbox.getInfo();
        equal(info.sandboxId, sandbox.sandboxId, 'sandboxId');
        equal(info.metadata, metadata, 'metadata');
        equal(info.state, 'running', 'state');
        ok(info.endAt > info.startedAt, 'endAt is after startedAt');
        const { stdout } = await sandbox.commands.run('printf %s "$GREETING"');
        equal(stdout, 'hello there', 'the variable in the sandbox');
      },
    },
    {
      name: 'lists sandboxes by metadata, a page at a time',
      via: 'key',
      async run({ create, edge, key }) {
        const mark = crypto.randomUUID();
        const ids: string[] = [];
        for (const part of ['a', 'b', 'c']) {
          ids.push((await create({ metadata: { mark, part: `${part} & %` } })).sandboxId);
        }
        const pages = edge.Sandbox.list({ ...key, query: { metadata: { mark } }, limit: 2 });
        const first = await pages.nextItems();
        equal(first.length, 2, 'the first page');
        equal(pages.hasNext, true, 'hasNext after the first page');
        const second = await pages.nextItems();
        equal(second.length, 1, 'the second page');
        equal(pages.hasNext, false, 'hasNext after the last page');
        const seen = [...first, ...second].map(({ sandboxId }) => sandboxId);
        equal(seen.sort(), ids.sort(), 'the ids');
        const narrow = edge.Sandbox.list({ ...key, query: { metadata: { mark, part: 'b & %' } } });
        equal((await narrow.nextItems()).length, 1, 'filtered by two keys');
      },
    },
    {
      name: 'connects again by id',
      via: 'key',
      async run({ create, edge, key }) {
        const sandbox = await create();
        await sandbox.files.write('note.txt', 'kept');
        const again = await edge.Sandbox.connect(sandbox.sandboxId, key);
        equal(again.sandboxId, sandbox.sandboxId, 'sandboxId');
        equal(await again.files.read('note.txt'), 'kept', 'the file');
      },
    },
    {
      name: 'ends at the time set by setTimeout',
      via: 'key',
      async run({ create }) {
        const sandbox = await create({ timeoutMs: 600_000 });
        const before = (await sandbox.getInfo()).endAt;
        await sandbox.setTimeout(60_000);
        ok((await sandbox.getInfo()).endAt < before, 'endAt came nearer');
        await sandbox.setTimeout(1_000);
        await until(async () => !(await sandbox.isRunning()), 'the sandbox ended');
      },
    },
    {
      name: 'answers whenever it is asked while it ends',
      via: 'key',
      async run({ create }) {
        const sandboxes = await Promise.all(Array.from({ length: 4 }, () => create()));
        const untilEnded = async (sandbox: (typeof sandboxes)[number]): Promise<void> => {
          await sandbox.setTimeout(1_000);
          while (await sandbox.isRunning({ requestTimeoutMs: 10_000 }))
            await new Promise((next) => setTimeout(next, 2));
        };
        await Promise.all(sandboxes.map(untilEnded));
      },
    },
  ],
};
