import { beforeAll, describe, expect, test } from 'vitest';
import type { LocalServer } from '../../../src/local/local-server.js';
import { run, sh, unary } from './support/rpc.js';
import { api, type Created, createSandbox, startServer } from './support/server.js';

let server: LocalServer;
const warnings: string[] = [];

beforeAll(async () => {
  server = await startServer({ logger: { warn: (message) => warnings.push(message) } });
});

interface SnapshotInfo {
  readonly snapshotID: string;
  readonly names: string[];
}

async function snapshot(sandbox: Created, name?: string): Promise<SnapshotInfo> {
  const path = `/sandboxes/${sandbox.sandboxID}/snapshots`;
  const response = await api(server, 'POST', path, name === undefined ? {} : { name });
  expect(response.status).toBe(201);
  return (await response.json()) as SnapshotInfo;
}

async function shell(sandbox: Created, command: string): Promise<string> {
  return (await run(server, sandbox, sh(command))).stdout;
}

async function list(query: string): Promise<string[]> {
  const response = await api(server, 'GET', `/snapshots?${query}`);
  expect(response.status).toBe(200);
  return ((await response.json()) as SnapshotInfo[]).map(({ snapshotID }) => snapshotID);
}

const remove = (id: string): Promise<Response> =>
  api(server, 'DELETE', `/templates/${encodeURIComponent(id)}`);

describe('a snapshot', () => {
  test('keeps the files, modes and links for sandboxes that go their own ways', async () => {
    const original = await createSandbox(server, { envVars: { KEPT: 'yes', OVER: 'old' } });
    await shell(
      original,
      'echo one > ~/a; chmod 750 ~/a; ln -s a ~/link; mkdir -p /tmp/d/e; sleep 1000 >/dev/null 2>&1 &',
    );
    const { snapshotID, names } = await snapshot(original);
    expect(snapshotID).toMatch(/^[a-z0-9]{20}:default$/);
    expect(names).toEqual([]);
    await shell(original, 'echo two > ~/a');

    const first = await createSandbox(server, { templateID: snapshotID, envVars: { OVER: 'new' } });
    const second = await createSandbox(server, { templateID: snapshotID });
    expect(
      await shell(first, 'cat ~/link; stat -c %a ~/a; ls /tmp/d; echo $KEPT $OVER $E2B_SANDBOX_ID'),
    ).toBe(`one\n750\ne\nyes new ${first.sandboxID}\n`);
    expect((await unary(server, first, 'process.Process/List', {})).body).toEqual({});
    await shell(first, 'rm ~/a');
    expect(await shell(second, 'cat ~/a')).toBe('one\n');
    expect(await shell(original, 'cat ~/a')).toBe('two\n');
    expect(warnings.filter((text) => text.includes('memory'))).toHaveLength(1);
    const detail = await api(server, 'GET', `/sandboxes/${first.sandboxID}`);
    expect(await detail.json()).toMatchObject({ templateID: snapshotID.split(':')[0] });
  });

  test('has names and tags; the last of a name and tag is what is meant', async () => {
    const sandbox = await createSandbox(server);
    const made: SnapshotInfo[] = [];
    for (const [content, name] of [
      ['1', 'Named'],
      ['2', 'local/named:v2'],
      ['3', 'named'],
    ] as const) {
      await shell(sandbox, `echo ${content} > ~/content`);
      made.push(await snapshot(sandbox, name));
    }
    expect(made.map(({ snapshotID }) => snapshotID)).toEqual([
      'local/named:default',
      'local/named:v2',
      'local/named:default',
    ]);
    expect(made[1]?.names).toEqual(['local/named']);
    for (const [reference, content] of [
      ['named', '3'],
      ['local/named:default', '3'],
      ['named:v2', '2'],
    ] as const) {
      const copy = await createSandbox(server, { templateID: reference });
      expect(await shell(copy, 'cat ~/content')).toBe(`${content}\n`);
    }
    const missing = await api(server, 'POST', '/v2/sandboxes', { templateID: 'named:v3' });
    expect(missing.status).toBe(404);
    expect(await missing.json()).toMatchObject({ code: 404, message: expect.stringContaining("tag 'v3'") });
    expect(await list('name=named')).toEqual(['local/named:default', 'local/named:v2']);
    expect(await list('name=named:v2')).toEqual(['local/named:v2']);
    expect(await list('name=nothing')).toEqual([]);
  });

  test.each(['a b', 'other-team/x', ':tag', 'a/b/c'])('cannot be called %j', async (name) => {
    const sandbox = await createSandbox(server);
    const path = `/sandboxes/${sandbox.sandboxID}/snapshots`;
    expect((await api(server, 'POST', path, { name })).status).toBe(400);
  });

  test('is listed, newest first, in pages', async () => {
    const sandbox = await createSandbox(server);
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) ids.unshift((await snapshot(sandbox)).snapshotID);
    const found: string[] = [];
    let token: string | null = '';
    while (token !== null) {
      const query = `sandboxID=${sandbox.sandboxID}&limit=2${token && `&nextToken=${token}`}`;
      const response: Response = await api(server, 'GET', `/snapshots?${query}`);
      found.push(...((await response.json()) as SnapshotInfo[]).map(({ snapshotID }) => snapshotID));
      token = response.headers.get('x-next-token');
    }
    expect(new Set(found)).toEqual(new Set(ids));
    expect(found).toHaveLength(3);
    expect((await api(server, 'GET', '/snapshots?limit=0')).status).toBe(400);
  });

  test('is removed, unless sandboxes were made from it', async () => {
    const sandbox = await createSandbox(server);
    const { snapshotID } = await snapshot(sandbox);
    const copy = await createSandbox(server, { templateID: snapshotID });
    const refused = await remove(snapshotID);
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ message: expect.stringContaining('running sandboxes') });
    await api(server, 'DELETE', `/sandboxes/${copy.sandboxID}`);
    expect((await remove(snapshotID)).status).toBe(204);
    expect((await remove(snapshotID)).status).toBe(404);
    expect(await list(`sandboxID=${sandbox.sandboxID}`)).toEqual([]);
    expect((await api(server, 'POST', '/v2/sandboxes', { templateID: snapshotID })).status).toBe(404);
    expect((await remove('base')).status).toBe(400);
  });
});

describe('a fork', () => {
  interface ForkResult {
    readonly sandbox?: Created;
    readonly error?: { code: number; message: string };
  }

  async function fork(sandbox: Created, body: object): Promise<ForkResult[]> {
    const response = await api(server, 'POST', `/sandboxes/${sandbox.sandboxID}/fork`, body);
    expect(response.status).toBe(201);
    return (await response.json()) as ForkResult[];
  }

  test('has the files, the metadata and the environment, and tokens of its own', async () => {
    const original = await createSandbox(server, { metadata: { who: 'me' }, envVars: { KEPT: 'yes' } });
    await shell(original, 'echo one > ~/a');
    const forks = await fork(original, { count: 3, timeout: 100 });
    const made = forks.map(({ sandbox }) => sandbox!);
    expect(new Set([original, ...made].map(({ sandboxID }) => sandboxID)).size).toBe(4);
    expect(new Set([original, ...made].map(({ envdAccessToken }) => envdAccessToken)).size).toBe(4);
    for (const one of made) {
      expect(await shell(one, 'cat ~/a; echo $KEPT $E2B_SANDBOX_ID')).toBe(`one\nyes ${one.sandboxID}\n`);
      const detail = await (await api(server, 'GET', `/sandboxes/${one.sandboxID}`)).json();
      expect(detail).toMatchObject({ templateID: 'base', metadata: { who: 'me' }, state: 'running' });
    }
    await shell(made[0]!, 'echo two > ~/a');
    expect(await shell(made[1]!, 'cat ~/a')).toBe('one\n');
    expect(await shell(original, 'cat ~/a')).toBe('one\n');
  });

  test('is one by default, for fifteen seconds', async () => {
    const original = await createSandbox(server);
    const forks = await fork(original, {});
    expect(forks).toHaveLength(1);
    const detail = await api(server, 'GET', `/sandboxes/${forks[0]?.sandbox?.sandboxID}`);
    const { endAt } = (await detail.json()) as { endAt: string };
    expect(Date.parse(endAt) - Date.now()).toBeLessThanOrEqual(15_000);
  });

  test.each([{ count: 0 }, { count: 101 }, { count: 1.5 }, { timeout: 0 }])('refuses %j', async (body) => {
    const { sandboxID } = await createSandbox(server);
    expect((await api(server, 'POST', `/sandboxes/${sandboxID}/fork`, body)).status).toBe(400);
  });
});
