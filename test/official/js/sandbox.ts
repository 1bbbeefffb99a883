import { type Sandbox as Instance, Sandbox, SandboxNotFoundError } from 'e2b';
import { describe, expect, test } from 'vitest';
import { until } from '../../unit/local/support/until.js';
import type { Stage } from './stage.js';

export function sandboxMethods(stage: () => Stage): void {
  const create = (options: object = {}): Promise<Instance> =>
    Sandbox.create({ ...stage().connection, ...options });

  describe('Sandbox', () => {
    test('create, getInfo, getFullInfo', async () => {
      const { sandbox, connection } = stage();
      const info = await sandbox.getInfo();
      expect(info).toMatchObject({
        sandboxId: sandbox.sandboxId,
        state: 'running',
        metadata: { purpose: 'every method', odd: 'ä &=%25' },
      });
      expect(info.endAt.getTime() - info.startedAt.getTime()).toBeGreaterThan(290_000);
      const { sandboxId } = sandbox;
      expect(await Sandbox.getInfo(sandboxId, connection)).toMatchObject({ sandboxId });
      expect(await Sandbox.getFullInfo(sandboxId, connection)).toMatchObject({ sandboxId });
    });

    test('list, with filters and pages', async () => {
      const { sandbox, connection } = stage();
      const others = [
        await create({ metadata: { set: 'page' } }),
        await create({ metadata: { set: 'page' } }),
      ];
      const only = Sandbox.list({ ...connection, query: { metadata: { odd: 'ä &=%25' } } });
      expect((await only.nextItems()).map(({ sandboxId }) => sandboxId)).toEqual([sandbox.sandboxId]);
      expect(only.hasNext).toBe(false);
      const paged = Sandbox.list({
        ...connection,
        limit: 1,
        query: { metadata: { set: 'page' }, state: ['running'] },
      });
      const seen: string[] = [];
      while (paged.hasNext) seen.push(...(await paged.nextItems()).map(({ sandboxId }) => sandboxId));
      expect(seen.sort()).toEqual(others.map(({ sandboxId }) => sandboxId).sort());
      for (const other of others) await other.kill();
    });

    test('connect, as a static and on an instance', async () => {
      const { sandbox, connection } = stage();
      const again = await Sandbox.connect(sandbox.sandboxId, connection);
      expect((await again.commands.run('echo again')).stdout).toBe('again\n');
      expect((await again.connect({ timeoutMs: 300_000 })).sandboxId).toBe(sandbox.sandboxId);
    });

    test('setTimeout', async () => {
      const one = await create();
      await one.setTimeout(60_000);
      expect((await one.getInfo()).endAt.getTime() - Date.now()).toBeLessThan(61_000);
      await Sandbox.setTimeout(one.sandboxId, 120_000, stage().connection);
      expect((await one.getInfo()).endAt.getTime() - Date.now()).toBeGreaterThan(110_000);
      await one.kill();
    });

    test('an end time that ends it', async () => {
      const one = await create({ timeoutMs: 1000 });
      await until('it has ended', async () => !(await one.isRunning()), 10_000);
      await expect(one.getInfo()).rejects.toThrow(SandboxNotFoundError);
    });

    test('pause and connect: processes go on where they stopped', async () => {
      const one = await create();
      await one.files.write('kept', 'kept');
      const counter = await one.commands.run(
        'for i in $(seq 1 100000); do echo $i > next; mv next n; sleep 0.01; done',
        {
          background: true,
          timeoutMs: 0,
        },
      );
      await until('it counts', async () => Number(await one.files.read('n').catch(() => 0)) > 3);
      expect(await one.pause()).toBe(true);
      expect(await one.pause()).toBe(false);
      expect(await Sandbox.pause(one.sandboxId, stage().connection)).toBe(false);
      expect(await one.isRunning()).toBe(false);
      expect((await one.getInfo()).state).toBe('paused');
      const resumed = await Sandbox.connect(one.sandboxId, stage().connection);
      expect(await resumed.files.read('kept')).toBe('kept');
      const before = Number((await resumed.files.read('n')).trim() || 0);
      await until('it counts on', async () => Number(await resumed.files.read('n')) > before + 3);
      expect((await resumed.commands.list()).map(({ pid }) => pid)).toContain(counter.pid);
      await resumed.kill();
    });

    test('betaPause, and a pause that keeps files only', async () => {
      const one = await create();
      await one.files.write('kept', 'kept');
      await one.commands.run('sleep 300', { background: true, timeoutMs: 0 });
      expect(await one.betaPause()).toBe(true);
      await one.connect();
      expect(await one.commands.list()).toHaveLength(1);
      expect(await one.pause({ keepMemory: false })).toBe(true);
      await one.connect();
      expect(await one.commands.list()).toEqual([]);
      expect(await one.files.read('kept')).toBe('kept');
      expect(await Sandbox.betaPause(one.sandboxId, stage().connection)).toBe(true);
      await one.kill();
    });

    test('a pause at the end time, and a resume by traffic', async () => {
      const one = await create({ timeoutMs: 1000, lifecycle: { onTimeout: 'pause', autoResume: true } });
      await one.files.write('kept', 'kept');
      await until('it is paused', async () => (await one.getInfo()).state === 'paused', 10_000);
      expect(await one.files.read('kept')).toBe('kept');
      expect((await one.getInfo()).state).toBe('running');
      await one.kill();
    });

    test('fork, as a static and on an instance', async () => {
      const one = await create({ envs: { FORKED: 'yes' } });
      await one.files.write('kept', 'kept');
      const forks = [
        ...(await one.fork({ count: 2 })),
        ...(await Sandbox.fork(one.sandboxId, stage().connection)),
      ];
      expect(forks).toHaveLength(3);
      for (const fork of forks) {
        if (fork instanceof Error) throw fork;
        expect(fork.sandboxId).not.toBe(one.sandboxId);
        expect(await fork.files.read('kept')).toBe('kept');
        await fork.files.write('kept', 'changed');
        await fork.kill();
      }
      expect(await one.files.read('kept')).toBe('kept');
      await one.kill();
    });

    test('createSnapshot, listSnapshots, deleteSnapshot', async () => {
      const { connection } = stage();
      const one = await create();
      await one.files.write('kept', 'kept');
      const { snapshotId } = await one.createSnapshot();
      const named = await Sandbox.createSnapshot(one.sandboxId, { ...connection, name: 'named' });
      await one.files.write('kept', 'later');
      const listed = await one.listSnapshots().nextItems();
      expect(listed.map((snapshot) => snapshot.snapshotId).sort()).toEqual(
        [snapshotId, named.snapshotId].sort(),
      );
      expect(
        await Sandbox.listSnapshots({ ...connection, sandboxId: one.sandboxId }).nextItems(),
      ).toHaveLength(2);
      await one.kill();
      const restored = await Sandbox.create(snapshotId, connection);
      expect(await restored.files.read('kept')).toBe('kept');
      await restored.kill();
      expect(await Sandbox.deleteSnapshot(snapshotId, connection)).toBe(true);
      expect(await Sandbox.deleteSnapshot(snapshotId, connection)).toBe(false);
      await expect(Sandbox.create(snapshotId, connection)).rejects.toThrow(/not found/);
    });

    test('getMetrics', async () => {
      const { sandbox, connection } = stage();
      await until('there is a sample', async () => (await sandbox.getMetrics()).length > 0, 20_000);
      const [sample] = await Sandbox.getMetrics(sandbox.sandboxId, connection);
      expect(sample).toMatchObject({ timestamp: expect.any(Date), cpuCount: expect.any(Number) });
      expect(sample!.memUsed).toBeGreaterThan(0);
      expect(sample!.memTotal).toBeGreaterThan(sample!.memUsed);
      expect(await sandbox.getMetrics({ start: new Date(0), end: new Date(1000) })).toEqual([]);
    });

    test('updateNetwork', async () => {
      const { sandbox, connection } = stage();
      await sandbox.updateNetwork({ denyOut: ['0.0.0.0/0'], allowOut: ['example.com'] });
      expect((await sandbox.getInfo()).network).toMatchObject({ allowOut: ['example.com'] });
      await Sandbox.updateNetwork(sandbox.sandboxId, {}, connection);
      expect((await sandbox.getInfo()).network?.allowOut ?? []).toEqual([]);
    });

    test('getHost, getMcpUrl, getMcpToken', async () => {
      const { sandbox } = stage();
      expect(sandbox.getHost(3000)).toBe(`3000-${sandbox.sandboxId}.${sandbox.sandboxDomain}`);
      expect(sandbox.getMcpUrl()).toContain('50005-');
      const token = await sandbox.getMcpToken().catch((error) => error.name);
      expect(String(token)).toMatch(/undefined|FileNotFoundError/);
    });

    test('uploadUrl and downloadUrl, signed, for a while', async () => {
      const { sandbox } = stage();
      const form = new FormData();
      form.append('file', new Blob(['signed']), 'signed');
      const upload = await sandbox.uploadUrl('signed', { useSignatureExpiration: 60 });
      expect((await fetch(upload, { method: 'POST', body: form })).status).toBe(200);
      const url = await sandbox.downloadUrl('signed', { useSignatureExpiration: 60 });
      expect(await (await fetch(url)).text()).toBe('signed');
      expect((await fetch(url.replace('signature=v1_', 'signature=v1_x'))).status).toBe(401);
    });

    test('isRunning and kill, as a static and on an instance', async () => {
      const { connection } = stage();
      const [one, two] = [await create(), await create()];
      expect(await one.isRunning()).toBe(true);
      const running = one.commands.run('sleep 300');
      const failure = expect(running).rejects.toThrow();
      await until('it runs', async () => (await one.commands.list()).length > 0);
      expect(await one.kill()).toBe(true);
      await failure;
      expect(await one.isRunning()).toBe(false);
      expect(await Sandbox.kill(two.sandboxId, connection)).toBe(true);
      expect(await Sandbox.kill(two.sandboxId, connection)).toBe(false);
      await expect(Sandbox.connect(two.sandboxId, connection)).rejects.toThrow(SandboxNotFoundError);
    });
  });
}
