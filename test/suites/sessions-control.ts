import { equal, ok, rejects, until } from './assert.js';
import type { Context, Suite } from './case.js';
import { PageNetwork } from './page-network.js';

export const sessionsControl: Suite = {
  name: 'a sandbox as a whole',
  cases: [
    {
      name: 'is described, without what opens it',
      via: 'session',
      async run({ session, connect }) {
        const sandbox = await connect(await session());
        const info = await sandbox.getInfo();
        equal(
          Object.keys(info).sort(),
          'cpuCount,endAt,envdVersion,memoryMB,name,sandboxId,startedAt,state,templateId'.split(','),
          'what is told',
        );
        equal(
          [info.sandboxId, info.state, info.envdVersion],
          [sandbox.sandboxId, 'running', sandbox.envdVersion],
          'id, state, version',
        );
        ok(info.endAt > info.startedAt, 'endAt is not after startedAt');
      },
    },
    {
      name: 'is measured',
      via: 'session',
      async run({ session, connect, errors }) {
        const sandbox = await connect(await session());
        await until(async () => (await sandbox.getMetrics()).length > 0, 'there is a sample');
        const [sample] = await sandbox.getMetrics({ start: new Date(Date.now() - 3_600_000) });
        ok(sample && sample.timestamp instanceof Date && sample.memTotal > 0, 'the sample');
        equal(await sandbox.getMetrics({ start: new Date(0), end: new Date(1000) }), [], 'of long ago');
        const wrong = { start: new Date(2000), end: new Date(1000) };
        await rejects(sandbox.getMetrics(wrong), errors.InvalidArgumentError, 'invalid_argument');
      },
    },
    {
      name: 'has its end put off, and never brought nearer',
      via: 'session',
      async run({ session, connect, errors }) {
        const sandbox = await connect(await session());
        const endAt = async (): Promise<number> => (await sandbox.getInfo()).endAt.getTime();
        const before = await endAt();
        await sandbox.setTimeout(1_800_000);
        const later = await endAt();
        ok(later > before + 600_000, `the end is ${later - before} ms later`);
        await sandbox.setTimeout(60_000);
        ok((await endAt()) >= later, 'it was brought nearer');
        for (const wrong of [0, 60, -1, Number.NaN, '60000' as never]) {
          await rejects(sandbox.setTimeout(wrong), errors.InvalidArgumentError, 'invalid_argument');
        }
      },
    },
    {
      name: 'shows a port to the browser, until that is closed',
      via: 'session',
      async run({ session, connect, errors }) {
        const sandbox = await connect(await session());
        const preview = await sandbox.openPreview(3000);
        ok(new URL(preview.url).pathname.includes(sandbox.sandboxId), preview.url);
        ok((await fetch(preview.url)).status === 401, 'the address alone opens nothing');
        preview.close();
        await rejects(sandbox.openPreview(3001), errors.PermissionDeniedError, 'permission_denied');
        for (const wrong of [0, 65_536, '3000' as never]) {
          await rejects(sandbox.openPreview(wrong), errors.InvalidArgumentError, 'invalid_argument');
        }
      },
    },
    {
      name: 'is paused and resumed',
      via: 'session',
      async run({ session, connect, errors }) {
        const sandbox = await connect(await session());
        await sandbox.files.write('kept.txt', 'kept');
        equal(await sandbox.pause({ keepMemory: false }), true, 'pause');
        equal(await sandbox.pause(), false, 'a second pause');
        equal((await sandbox.getInfo()).state, 'paused', 'state');
        equal(await sandbox.isRunning(), false, 'isRunning');
        await rejects(sandbox.files.read('kept.txt'), errors.SandboxError, 'sandbox_paused');
        await sandbox.resume({ timeoutMs: 120_000 });
        await sandbox.resume();
        equal(await sandbox.files.read('kept.txt'), 'kept', 'the file');
      },
    },
    {
      name: 'is left alone where the session does not grant it, before anything is sent',
      via: 'session',
      async run(context) {
        const { browser, errors, session } = context;
        const network = new PageNetwork(context);
        const sandbox = await browser.Sandbox.connect({
          ...network.options,
          session: await session(context.env, { grant: { files: [{ op: 'read', prefix: '/home/user' }] } }),
        });
        const calls = [
          () => sandbox.getInfo(),
          () => sandbox.getMetrics(),
          () => sandbox.setTimeout(60_000),
          () => sandbox.pause(),
          () => sandbox.resume(),
          () => sandbox.kill(),
          () => sandbox.uploadUrl('a.txt'),
        ];
        for (const call of calls) await rejects(call, errors.PermissionDeniedError, 'permission_denied');
        equal(network.requests, [], 'requests');
      },
    },
    {
      name: 'has URLs of its files, for whoever has them',
      via: 'session',
      async run({ session, connect, env, errors }) {
        const sandbox = await connect(await session());
        const form = new FormData();
        form.append('file', new Blob(['by a form']), 'other-name');
        const upload = await sandbox.uploadUrl('/home/user/a b.txt');
        equal((await fetch(upload, { method: 'POST', body: form })).status, 200, 'the status of the upload');
        equal(await sandbox.files.read('a b.txt'), 'by a form', 'what was uploaded');
        const download = await sandbox.downloadUrl('/home/user/a b.txt', { useSignatureExpiration: 30 });
        equal(await (await fetch(download)).text(), 'by a form', 'what was downloaded');
        const changed = new URL(download);
        changed.searchParams.set('path', '/etc/hostname');
        ok((await fetch(changed)).status >= 400, 'the signature is good for another file');

        const { InvalidArgumentError, PermissionDeniedError } = errors;
        await rejects(sandbox.downloadUrl('a', { useSignatureExpiration: 61 }), InvalidArgumentError);
        await rejects(sandbox.uploadUrl(), InvalidArgumentError, 'invalid_argument');
        const { sandboxId } = sandbox;
        const grant = { files: [{ op: 'read' as const, prefix: '/home/user/open' }] };
        const narrow = await connect(await session(env, { sandboxId, grant }));
        await rejects(narrow.downloadUrl('/home/user/a b.txt'), PermissionDeniedError, 'permission_denied');
      },
    },
    {
      name: 'has nothing of this where there is no broker',
      via: 'session',
      run: withoutBroker,
    },
  ],
};

async function withoutBroker({
  browser,
  env,
  errors,
  headers,
  session,
  create,
  runtime,
}: Context): Promise<void> {
  const { sandboxId } = await session();
  const direct = await browser.fetchSession(env.brokerUrl, { headers, sandboxId, direct: true });
  const sandbox = await browser.Sandbox.connect({ session: () => direct });
  equal(sandbox.sandboxId, sandboxId, 'sandboxId');
  equal((await sandbox.commands.run('echo straight')).stdout, 'straight\n', 'stdout');
  await sandbox.files.write('a.txt', 'x');
  equal(await (await fetch(await sandbox.downloadUrl('a.txt'))).text(), 'x', 'by URL');
  equal(await sandbox.isRunning(), true, 'isRunning');
  const terminal = await sandbox.pty.create({ cols: 80, rows: 24 });
  await terminal.kill();
  const byWebSocket = sandbox.pty.create({ cols: 80, rows: 24, transport: 'websocket' });
  await rejects(byWebSocket, errors.InvalidArgumentError, 'transport_unavailable');
  const calls = [
    () => sandbox.getInfo(),
    () => sandbox.getMetrics(),
    () => sandbox.setTimeout(60_000),
    () => sandbox.pause(),
    () => sandbox.resume(),
    () => sandbox.kill(),
    () => sandbox.openPreview(3000),
    () => sandbox.invite(),
    () => sandbox.endSession(),
  ];
  for (const call of calls) await rejects(call, errors.InvalidArgumentError, 'session_missing');
  if (runtime === 'chromium') return;
  const owned = await create();
  await rejects(owned.invite(), errors.InvalidArgumentError, 'session_missing');
  await rejects(owned.endSession(), errors.InvalidArgumentError, 'session_missing');
  equal(await owned.pause(), true, 'pause with the key');
  await owned.resume();
  equal(await owned.isRunning(), true, 'resume with the key');
}
