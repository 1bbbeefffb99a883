import { beforeAll, expect, test } from 'vitest';
import type { LocalServer } from '../../../src/local/local-server.js';
import { sh, stream } from './support/rpc.js';
import { api, type Created, createSandbox, startServer } from './support/server.js';
import { until } from './support/until.js';

let server: LocalServer;

beforeAll(async () => {
  server = await startServer({ templates: { sized: { cpuCount: 1, memoryMb: 512 } } });
});

interface Metric {
  readonly timestampUnix: number;
  readonly cpuUsedPct: number;
  readonly memUsed: number;
}

async function metrics(sandbox: Created, query = ''): Promise<Metric[]> {
  const response = await api(server, 'GET', `/sandboxes/${sandbox.sandboxID}/metrics${query}`);
  expect(response.status).toBe(200);
  return (await response.json()) as Metric[];
}

test('are of the sandbox, with every required field', async () => {
  const sandbox = await createSandbox(server, { templateID: 'sized' });
  const [metric] = await metrics(sandbox);
  expect(metric).toEqual({
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    timestampUnix: expect.any(Number),
    cpuCount: 1,
    cpuUsedPct: expect.any(Number),
    memUsed: expect.any(Number),
    memTotal: 512 * 2 ** 20,
    memCache: 0,
    diskUsed: expect.any(Number),
    diskTotal: expect.any(Number),
  });
  // An idle envd, and not the whole host.
  expect(metric?.memUsed).toBeGreaterThan(1 << 20);
  expect(metric?.memUsed).toBeLessThan(512 << 20);
  const detail = await (await api(server, 'GET', `/sandboxes/${sandbox.sandboxID}`)).json();
  expect(detail).toMatchObject({ cpuCount: 1, memoryMB: 512 });
});

test('see who is busy, and memory that is taken', async () => {
  const [busy, idle] = [await createSandbox(server), await createSandbox(server)];
  const program = 'x = bytearray(200 << 20)\nprint("there", flush=True)\nwhile True: pass';
  const events = await stream(server, busy, 'process.Process/Start', sh(`exec python3 -c '${program}'`));
  await until('the memory is taken', async () => JSON.stringify(await events.next()).includes('stdout'));
  const [ofBusy] = await metrics(busy);
  const [ofIdle] = await metrics(idle);
  expect(ofBusy?.memUsed).toBeGreaterThan(200 << 20);
  expect(ofIdle?.memUsed).toBeLessThan(200 << 20);
  expect(ofBusy?.cpuUsedPct).toBeGreaterThan(ofIdle?.cpuUsedPct ?? 0);
  events.close();
  await api(server, 'DELETE', `/sandboxes/${busy.sandboxID}`);
});

test('can be asked for by time', async () => {
  const sandbox = await createSandbox(server);
  const at = (await metrics(sandbox))[0]!.timestampUnix;
  expect(await metrics(sandbox, `?start=${at}&end=${at}`)).toHaveLength(1);
  expect(await metrics(sandbox, `?start=${at + 1000}`)).toEqual([]);
  expect(await metrics(sandbox, `?end=${at - 1000}`)).toEqual([]);
  expect((await api(server, 'GET', `/sandboxes/${sandbox.sandboxID}/metrics?start=x`)).status).toBe(400);
});

test('of many at once leave out those that are not there', async () => {
  const sandbox = await createSandbox(server);
  const response = await api(server, 'GET', `/sandboxes/metrics?sandbox_ids=${sandbox.sandboxID},inone`);
  expect(await response.json()).toEqual({
    sandboxes: { [sandbox.sandboxID]: expect.objectContaining({ cpuUsedPct: expect.any(Number) }) },
  });
  expect((await api(server, 'GET', '/sandboxes/metrics')).status).toBe(400);
  const tooMany = Array.from({ length: 101 }, (_, i) => `i${i}`).join(',');
  expect((await api(server, 'GET', `/sandboxes/metrics?sandbox_ids=${tooMany}`)).status).toBe(400);
});

test('there are of a paused sandbox what there were; logs are none', async () => {
  const sandbox = await createSandbox(server);
  const before = await metrics(sandbox);
  await api(server, 'POST', `/sandboxes/${sandbox.sandboxID}/pause`);
  expect((await metrics(sandbox)).slice(0, before.length)).toEqual(before);
  const logs = await api(server, 'GET', `/sandboxes/${sandbox.sandboxID}/logs`);
  expect(await logs.json()).toEqual({ logs: [], logEntries: [] });
  const logsV2 = await api(server, 'GET', `/v2/sandboxes/${sandbox.sandboxID}/logs?limit=5`);
  expect(await logsV2.json()).toEqual({ logs: [] });
});
