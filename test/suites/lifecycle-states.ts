import { equal, ok, rejects, until } from './assert.js';
import type { Suite } from './case.js';

/** What changes a sandbox as a whole: pause and resume, copies, snapshots. */
export const lifecycleStates: Suite = {
  name: 'lifecycle: states',
  cases: [
    {
      name: 'pauses once, keeps its processes, and is resumed by connect',
      via: 'key',
      async run({ create, edge, key }) {
        const sandbox = await create();
        const { pid } = await sandbox.commands.run('exec sleep 7200', { background: true });
        equal(await sandbox.pause(), true, 'the first pause');
        equal(await sandbox.pause(), false, 'the second pause');
        equal(await sandbox.betaPause(), false, 'by its old name');
        equal(await edge.Sandbox.betaPause(sandbox.sandboxId, key), false, 'the static by its old name');
        equal(await sandbox.isRunning(), false, 'isRunning while paused');
        equal((await sandbox.getInfo()).state, 'paused', 'state');
        equal((await sandbox.connect({ timeoutMs: 60_000 })) === sandbox, true, 'connect gives itself');
        equal((await sandbox.getInfo()).state, 'running', 'state after connect');
        const pids = (await sandbox.commands.list()).map((process) => process.pid);
        ok(pids.includes(pid), 'the process goes on');
      },
    },
    {
      name: 'drops its processes where a pause, or a resume, does without memory',
      via: 'key',
      async run({ create, edge, key }) {
        const sandbox = await create();
        await sandbox.files.write('kept', 'kept');
        await sandbox.commands.run('exec sleep 7200', { background: true });
        equal(await sandbox.pause({ keepMemory: false }), true, 'pause');
        await sandbox.connect();
        equal((await sandbox.commands.list()).length, 0, 'processes after a pause without memory');
        await sandbox.commands.run('exec sleep 7200', { background: true });
        await sandbox.pause();
        const again = await edge.Sandbox.connect(sandbox.sandboxId, { ...key, onResume: 'reboot' });
        equal((await again.commands.list()).length, 0, 'processes after a reboot');
        equal(await again.files.read('kept'), 'kept', 'the file');
      },
    },
    {
      name: 'is paused at its end time where it was created so, and resumed by a request',
      via: 'key',
      async run({ create }) {
        const sandbox = await create({
          timeoutMs: 1_000,
          lifecycle: { onTimeout: { action: 'pause' }, autoResume: true },
        });
        equal((await sandbox.getInfo()).lifecycle, { onTimeout: 'pause', autoResume: true }, 'lifecycle');
        await until(async () => (await sandbox.getInfo()).state === 'paused', 'it is paused');
        equal((await sandbox.commands.run('echo awake')).stdout, 'awake\n', 'a command');
      },
    },
    {
      name: 'is copied with its files, and the copies are of its class',
      via: 'key',
      async run({ create, edge, key }) {
        const sandbox = await create({ envs: { COPIED: 'yes' } });
        await sandbox.files.write('kept', 'kept');
        const { Sandbox } = edge;
        const forks = [
          ...(await sandbox.fork({ count: 2 })),
          ...(await Sandbox.fork(sandbox.sandboxId, { ...key, timeoutMs: 120_000 })),
        ];
        equal(forks.length, 3, 'copies');
        for (const fork of forks) {
          if (fork instanceof Error) throw fork;
          ok(fork instanceof Sandbox, 'its class');
          equal(await fork.files.read('kept'), 'kept', 'the file');
          const { startedAt, endAt } = await fork.getInfo();
          ok(endAt.getTime() - startedAt.getTime() > 60_000, 'it lives longer than the server would let it');
          equal(await fork.kill(), true, 'kill');
        }
        await rejects(Sandbox.fork('i0000000000000000000', key), edge.SandboxNotFoundError);
        await sandbox.pause();
        await rejects(sandbox.fork(), edge.SandboxError);
      },
    },
    {
      name: 'makes snapshots, which are listed, started and deleted',
      via: 'key',
      async run({ create, edge, key }) {
        const { Sandbox } = edge;
        const sandbox = await create();
        await sandbox.files.write('kept', 'kept');
        const name = `snapshot-${crypto.randomUUID().slice(0, 8)}`;
        const first = await sandbox.createSnapshot();
        const named = await Sandbox.createSnapshot(sandbox.sandboxId, { ...key, name });
        ok(
          named.names.some((full) => full.includes(name)),
          `its names: ${named.names}`,
        );
        await sandbox.files.write('kept', 'later');
        const ids: string[] = [];
        for await (const { snapshotId } of sandbox.listSnapshots({ limit: 1 })) ids.push(snapshotId);
        equal(ids.sort(), [first.snapshotId, named.snapshotId].sort(), 'listed, a page each');
        equal((await Sandbox.listSnapshots({ ...key, name }).nextItems()).length, 1, 'listed by name');
        const restored = await create({ template: first.snapshotId });
        equal(await restored.files.read('kept'), 'kept', 'the file as it was');
        await rejects(Sandbox.deleteSnapshot(first.snapshotId, key), edge.InvalidArgumentError);
        await restored.kill();
        equal(await Sandbox.deleteSnapshot(first.snapshotId, key), true, 'the first delete');
        equal(await Sandbox.deleteSnapshot(first.snapshotId, key), false, 'the second');
        equal(await Sandbox.deleteSnapshot(named.snapshotId, key), true, 'of the named one');
        await rejects(Sandbox.createSnapshot('i0000000000000000000', key), edge.SandboxNotFoundError);
      },
    },
  ],
};
