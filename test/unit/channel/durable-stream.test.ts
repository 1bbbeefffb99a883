import { createHash } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { DurableStream } from '../../../src/channel/durable/durable-stream.js';
import { startDurable } from '../../../src/channel/durable/start-durable.js';
import { Connection } from '../../../src/transport/connection.js';
import { fixedCredential } from '../../../src/transport/credential.js';
import { createSandbox, envdHeaders, startServer } from '../local/support/server.js';
import { until } from '../local/support/until.js';

let connection: Connection;

beforeAll(async () => {
  const server = await startServer();
  const created = await createSandbox(server);
  connection = new Connection({
    sandboxId: created.sandboxID,
    envdVersion: created.envdVersion,
    baseUrl: server.sandboxUrl,
    credential: fixedCredential(envdHeaders(created)),
    streamingUploads: true,
  });
});

async function start(command: string): Promise<{ id: string }> {
  const log = { id: crypto.randomUUID() };
  const process = { cmd: '/bin/bash', args: ['-c', command], envs: {}, timeoutMs: 0, maxLogBytes: 1 << 26 };
  await startDurable(connection, log, process, {});
  return log;
}

/** The process ids of the readers that run. */
async function readers({ id }: { id: string }): Promise<number[]> {
  const { processes } = await connection.call({}, 'list', (rpc, signal) => rpc.process.list({}, { signal }));
  return processes.filter(({ config }) => config?.args.includes(`read:${id}`)).map(({ pid }) => pid);
}

test('readers take over from one another without a byte lost or doubled', async () => {
  const log = await start(
    'seq 1 300000; for i in $(seq 60); do head -c 20000 /dev/zero; sleep 0.05; done; echo err >&2',
  );
  const offsets = { stdout: 0, stderr: 0 };
  const stream = new DurableStream(connection, log, offsets, { reconnectMs: 5_000, leaseMs: 500 });
  const hash = createHash('sha256');
  const seen = new Set<number>();
  for await (const event of stream.output) {
    if (event.type === 'stdout') hash.update(event.data);
    else if (event.type === 'end') expect(event.exitCode).toBe(0);
    for (const pid of await readers(log)) seen.add(pid);
  }
  const lines = Array.from({ length: 300_000 }, (_, index) => `${index + 1}\n`).join('');
  const expected = createHash('sha256')
    .update(lines)
    .update(new Uint8Array(60 * 20_000))
    .digest('hex');
  expect(hash.digest('hex')).toBe(expected);
  expect(offsets.stderr).toBe(4);
  expect(seen.size).toBeGreaterThan(3);
  await until('the end of all readers', async () => (await readers(log)).length === 0);
});

test('a reader that is left is ended', async () => {
  const log = await start('sleep 60');
  const stream = new DurableStream(
    connection,
    log,
    { stdout: 0, stderr: 0 },
    { reconnectMs: 0, leaseMs: 300 },
  );
  const reading = stream.output.next();
  await until('the reader', async () => (await readers(log)).length === 1);
  stream.cancel();
  await reading;
  await until('its end', async () => (await readers(log)).length === 0);
});

test('its signal and its time end it', async () => {
  const log = await start('sleep 60');
  const controller = new AbortController();
  const offsets = { stdout: 0, stderr: 0 };
  const stopped = new DurableStream(connection, log, offsets, { reconnectMs: 0, signal: controller.signal });
  const reading = stopped.output.next();
  await until('the reader', async () => (await readers(log)).length === 1);
  controller.abort(new Error('enough'));
  await expect(reading).rejects.toThrow('enough');
  const limited = new DurableStream(connection, log, offsets, { reconnectMs: 0, deadline: Date.now() + 500 });
  await expect(limited.output.next()).rejects.toMatchObject({ code: 'command_timeout' });
  await until('the end of the readers', async () => (await readers(log)).length === 0);
});
