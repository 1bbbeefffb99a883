import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LocalServer } from '../../../src/local/local-server.js';
import { hostProcesses, uniqueSleep } from './support/host-processes.js';
import { run, sh, stream, unary } from './support/rpc.js';
import { api, type Created, createSandbox, envdHeaders, startServer } from './support/server.js';
import { until } from './support/until.js';

let server: LocalServer;
const warnings: string[] = [];

beforeAll(async () => {
  server = await startServer({ logger: { warn: (message) => warnings.push(message) } });
});

interface Detail {
  readonly state: string;
  readonly startedAt: string;
  readonly endAt: string;
  readonly lifecycle: object;
}

function post(sandbox: Created, what: string, body?: object, version = ''): Promise<Response> {
  return api(server, 'POST', `${version}/sandboxes/${sandbox.sandboxID}/${what}`, body);
}

async function detail(sandbox: Created): Promise<Detail> {
  return (await (await api(server, 'GET', `/sandboxes/${sandbox.sandboxID}`)).json()) as Detail;
}

async function health(sandbox: Created, headers: Record<string, string> = {}): Promise<number> {
  const response = await fetch(`${server.sandboxUrl}/health`, {
    headers: { ...envdHeaders(sandbox), ...headers },
  });
  return response.status;
}

async function shell(sandbox: Created, command: string): Promise<string> {
  return (await run(server, sandbox, sh(command))).stdout;
}

/** Starts a process that goes on when the stream that started it is left. */
async function background(sandbox: Created, command: string): Promise<void> {
  const events = await stream(server, sandbox, 'process.Process/Start', sh(command));
  await events.next();
  events.close();
}

describe('pause', () => {
  test('freezes the processes, which go on after connect', async () => {
    const sandbox = await createSandbox(server);
    await background(sandbox, 'i=0; while :; do i=$((i+1)); echo $i > /tmp/count; sleep 0.01; done');
    const count = async (): Promise<number> => Number(await shell(sandbox, 'cat /tmp/count'));
    await until('it counts', async () => (await count()) > 0);
    const before = await count();
    const { startedAt } = await detail(sandbox);
    const pausedAfter = Date.now();
    expect((await post(sandbox, 'pause')).status).toBe(204);

    const paused = await detail(sandbox);
    expect(paused).toMatchObject({ state: 'paused', startedAt });
    expect(Date.parse(paused.endAt)).toBeGreaterThanOrEqual(pausedAfter);
    expect(Date.parse(paused.endAt)).toBeLessThanOrEqual(Date.now());
    expect(await health(sandbox)).toBe(502);

    const resumed = await post(sandbox, 'connect', { timeout: 60 });
    expect(resumed.status).toBe(201);
    expect(await resumed.json()).toEqual(sandbox);
    const after = await detail(sandbox);
    expect(after.state).toBe('running');
    expect(Date.parse(after.endAt)).toBeGreaterThan(Date.now() + 50_000);
    expect(await health(sandbox)).toBe(204);
    // The same process, and not one that began again.
    await until('it goes on', async () => (await count()) > before);
    expect((await post(sandbox, 'connect', { timeout: 60 })).status).toBe(200);
  });

  test('without memory ends the processes and keeps the files', async () => {
    const sleep = uniqueSleep();
    const sandbox = await createSandbox(server, { envVars: { GREETING: 'hi' } });
    await shell(sandbox, 'echo kept > ~/file');
    await background(sandbox, sleep);
    await until('it sleeps', () => hostProcesses(sleep).length > 0);
    expect((await post(sandbox, 'pause', { memory: false })).status).toBe(204);
    expect(hostProcesses(sleep)).toEqual([]);
    expect(await detail(sandbox)).toMatchObject({ state: 'paused' });
    expect((await post(sandbox, 'connect', { timeout: 60 })).status).toBe(201);
    expect(await shell(sandbox, 'cat ~/file; echo $GREETING $E2B_SANDBOX_ID')).toBe(
      `kept\nhi ${sandbox.sandboxID}\n`,
    );
    expect((await unary(server, sandbox, 'process.Process/List', {})).body).toEqual({});
  });

  test('can be undone without memory, too', async () => {
    const sandbox = await createSandbox(server);
    await shell(sandbox, 'echo kept > ~/file');
    await background(sandbox, 'sleep 1000');
    await post(sandbox, 'pause');
    expect((await post(sandbox, 'connect', { memory: false }, '/v2')).status).toBe(201);
    expect(await shell(sandbox, 'cat ~/file')).toBe('kept\n');
    expect((await unary(server, sandbox, 'process.Process/List', {})).body).toEqual({});
  });

  test('happens once: a second one is 409, two at once are one', async () => {
    const sandbox = await createSandbox(server);
    const both = await Promise.all([post(sandbox, 'pause'), post(sandbox, 'pause')]);
    expect(both.map(({ status }) => status)).toEqual([204, 204]);
    const again = await post(sandbox, 'pause');
    expect(again.status).toBe(409);
    expect(await again.json()).toMatchObject({ code: 409, message: expect.stringContaining('paused') });
  });

  test('what needs a running sandbox says that there is none', async () => {
    const sandbox = await createSandbox(server);
    await post(sandbox, 'pause');
    expect((await post(sandbox, 'timeout', { timeout: 5 })).status).toBe(404);
    expect((await post(sandbox, 'refreshes', {})).status).toBe(404);
    expect((await post(sandbox, 'snapshots', {})).status).toBe(404);
    expect((await post(sandbox, 'fork', {})).status).toBe(409);
    expect((await post(sandbox, 'connect', { timeout: 0 })).status).toBe(400);
    expect((await post(sandbox, 'connect', {})).status).toBe(400);
    expect((await post(sandbox, 'connect', { timeout: 86_401 }, '/v2')).status).toBe(400);
    expect(await detail(sandbox)).toMatchObject({ state: 'paused' });
  });

  test('the first version of resume says whether it had to be', async () => {
    const sandbox = await createSandbox(server);
    expect((await post(sandbox, 'resume', {})).status).toBe(409);
    await post(sandbox, 'pause');
    const resumed = await post(sandbox, 'resume', { timeout: 30 });
    expect(resumed.status).toBe(201);
    expect(await resumed.json()).toEqual(sandbox);
  });

  test('a paused sandbox can be killed, and is then gone with its processes and files', async () => {
    const sleep = uniqueSleep();
    const sandbox = await createSandbox(server);
    await background(sandbox, sleep);
    await until('it sleeps', () => hostProcesses(sleep).length > 0);
    await post(sandbox, 'pause');
    expect(hostProcesses(sleep)).not.toEqual([]);
    const path = `/sandboxes/${sandbox.sandboxID}`;
    const both = await Promise.all([api(server, 'DELETE', path), api(server, 'DELETE', path)]);
    expect(both.map(({ status }) => status)).toEqual([204, 204]);
    expect(hostProcesses(sleep)).toEqual([]);
    expect((await api(server, 'DELETE', path)).status).toBe(404);
    expect((await post(sandbox, 'connect', { timeout: 5 })).status).toBe(404);
  });

  test('one whose processes are ended from outside keeps its files', async () => {
    const sleep = uniqueSleep();
    const sandbox = await createSandbox(server);
    await shell(sandbox, 'echo kept > ~/file');
    await background(sandbox, sleep);
    await until('it sleeps', () => hostProcesses(sleep).length > 0);
    await post(sandbox, 'pause');
    // Those above it end with the first.
    const first = ancestorsOf(hostProcesses(sleep)[0]!)[0]!;
    expect(first).toBeGreaterThan(1);
    process.kill(first, 'SIGKILL');
    await until('it is told', () => warnings.some((text) => text.includes(sandbox.sandboxID)));
    expect(await detail(sandbox)).toMatchObject({ state: 'paused' });
    expect((await post(sandbox, 'connect', { timeout: 60 })).status).toBe(201);
    expect(await shell(sandbox, 'cat ~/file')).toBe('kept\n');
  });
});

describe('the end time', () => {
  test('pauses, where that is asked for, and keeps the processes', async () => {
    const sandbox = await createSandbox(server, { timeout: 1, autoPause: true });
    expect((await detail(sandbox)).lifecycle).toEqual({ onTimeout: 'pause', autoResume: false });
    await until('it is paused', async () => (await detail(sandbox)).state === 'paused');
    expect((await post(sandbox, 'connect', { timeout: 60 })).status).toBe(201);
  });

  test('or keeps the files only', async () => {
    const sleep = uniqueSleep();
    const sandbox = await createSandbox(server, { autoPause: true, autoPauseMemory: false });
    await background(sandbox, sleep);
    await until('it sleeps', () => hostProcesses(sleep).length > 0);
    expect((await post(sandbox, 'timeout', { timeout: 0 })).status).toBe(204);
    expect(await detail(sandbox)).toMatchObject({ state: 'paused' });
    expect(hostProcesses(sleep)).toEqual([]);
  });

  test('can be far away: it is clamped, and does not overflow into now', async () => {
    const sandbox = await createSandbox(server);
    expect((await post(sandbox, 'timeout', { timeout: 2 ** 31 })).status).toBe(204);
    expect(Date.parse((await detail(sandbox)).endAt) - Date.now()).toBeLessThanOrEqual(86_400_000);
    expect(Date.parse((await detail(sandbox)).endAt) - Date.now()).toBeGreaterThan(86_000_000);
    expect(await health(sandbox)).toBe(204);
  });

  test.each([{ timeout: 1.5 }, { timeout: '9' }, {}, { timeout: null }])(
    'must be a number: %j',
    async (body) => {
      const sandbox = await createSandbox(server);
      expect((await post(sandbox, 'timeout', body)).status).toBe(400);
    },
  );
});

describe('traffic', () => {
  test('wakes a sandbox that may be woken, for whoever has its token', async () => {
    const sandbox = await createSandbox(server, { autoPause: true, autoResume: { enabled: true } });
    expect((await detail(sandbox)).lifecycle).toEqual({ onTimeout: 'pause', autoResume: true });
    await shell(sandbox, 'echo kept > ~/file');
    await post(sandbox, 'pause');
    expect(await health(sandbox, { 'x-access-token': 'wrong' })).toBe(403);
    expect(await detail(sandbox)).toMatchObject({ state: 'paused' });
    expect(await shell(sandbox, 'cat ~/file')).toBe('kept\n');
    const woken = await detail(sandbox);
    expect(woken.state).toBe('running');
    expect(Date.parse(woken.endAt) - Date.now()).toBeGreaterThan(290_000);
  });

  test('many at once wake it once', async () => {
    const sandbox = await createSandbox(server, { autoPause: true, autoResume: { enabled: true } });
    await post(sandbox, 'pause');
    const all = await Promise.all(Array.from({ length: 10 }, () => health(sandbox)));
    expect(new Set(all)).toEqual(new Set([204]));
  });

  test.each([
    [{ autoPause: true }, {}],
    [{ autoPause: true, autoResume: { enabled: true } }, { memory: false }],
  ])('does not wake another: %j, paused with %j', async (fields, pause) => {
    const sandbox = await createSandbox(server, fields);
    await post(sandbox, 'pause', pause);
    expect(await health(sandbox)).toBe(502);
    expect(await detail(sandbox)).toMatchObject({ state: 'paused' });
  });
});

/** The processes above one that belong to its sandbox, from the top, and itself. */
function ancestorsOf(pid: number): number[] {
  const all = [pid];
  for (let at = parentOf(pid); at > 1 && at !== process.pid; at = parentOf(at)) all.push(at);
  return all.reverse();
}

function parentOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}
