import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { BrokerEvent } from '../../../src/broker/broker-event.js';
import { fetchSession, Sandbox } from '../../../src/browser.js';
import { createNodeBroker, type NodeBroker } from '../../../src/hosts/node/create-node-broker.js';
import type { Grant, Session } from '../../../src/wire/session.js';
import { startLocalE2B } from './support/local-e2b.js';

const all: Grant = {
  files: [
    { op: 'read', prefix: '/' },
    { op: 'write', prefix: '/' },
  ],
  commands: 'run',
  pty: 'write',
  lifecycle: ['info', 'extend', 'kill'],
};
const origin = 'https://app.example';

let e2b: Awaited<ReturnType<typeof startLocalE2B>>;
let broker: NodeBroker;
let server: Server;
let url: string;
let grants: Grant = all;
/** How long a new sandbox lives without anybody, in milliseconds. */
let timeoutMs = 300_000;
/** The sandbox of everybody, where they share one. */
let shared: string | undefined;
const events: BrokerEvent[] = [];

beforeAll(async () => {
  e2b = await startLocalE2B();
  server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  broker = createNodeBroker({
    apiKey: e2b.server.apiKey,
    apiUrl: e2b.server.apiUrl,
    sandboxUrl: e2b.server.sandboxUrl,
    signingKeys: { current: 'a secret of more than thirty-two bytes' },
    origins: [origin],
    limits: { mintsPerMinute: 1000 },
    basePath: '/api/sandbox',
    publicUrl: `${url}/api/sandbox`,
    authorize: (request) => ({
      subject: request.headers.get('x-user') ?? 'ann',
      sandbox: shared === undefined ? { template: 'base', timeoutMs } : { id: shared },
      grants,
    }),
    logger: (event) => events.push(event),
  });
  server.on('request', broker.handleRequest);
  server.on('upgrade', broker.handleUpgrade);
});

afterAll(async () => {
  broker.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await e2b.close();
});

const session = (user = 'ann'): Promise<Session> =>
  fetchSession(`${url}/api/sandbox`, { headers: { 'x-user': user } });
const connect = async (): Promise<Sandbox> =>
  Sandbox.connect({
    session: await session(),
    WebSocket: WebSocket as unknown as typeof globalThis.WebSocket,
  });

describe('through a broker in Node, a page', () => {
  test('runs commands, with their output as it comes', async () => {
    const sandbox = await connect();
    const result = await sandbox.commands
      .run('echo out; echo err >&2; exit 3')
      .catch((error: unknown) => error);
    expect(result).toMatchObject({ stdout: 'out\n', stderr: 'err\n', exitCode: 3 });
    const list = await sandbox.commands.list();
    expect(list.every(({ tag }) => tag === undefined)).toBe(true);
    await sandbox.kill();
  });

  test('writes and reads a file larger than what is read ahead', async () => {
    const sandbox = await connect();
    const data = new Uint8Array(3_000_000).map((_, index) => (index * 7919) % 251);
    await sandbox.files.write('/home/user/big.bin', data);
    const back = await sandbox.files.read('/home/user/big.bin', { format: 'bytes' });
    expect(Buffer.compare(back, data)).toBe(0);
    await sandbox.files.write('small.txt', 'hello');
    expect(await sandbox.files.read('~/small.txt')).toBe('hello');
    await sandbox.kill();
  });

  test.each([
    ['is at a terminal', (sandbox: Sandbox) => sandbox.pty.create({ cols: 80, rows: 24 })],
    ['listens to a command', (sandbox: Sandbox) => sandbox.commands.run('sleep 60', { background: true })],
  ])('keeps its sandbox beyond its time while it %s', async (_what, stay) => {
    timeoutMs = 3_000;
    const sandbox = await connect();
    const twice = Date.now() + 2 * timeoutMs;
    timeoutMs = 300_000;
    const handle = await stay(sandbox);
    await expect.poll(() => Date.now(), { timeout: 20_000 }).toBeGreaterThan(twice);
    expect(await sandbox.isRunning()).toBe(true);
    await handle.kill();
    await sandbox.kill();
  });

  test.each(['websocket', 'connect'] as const)(
    'has a terminal by %s, as the sandbox’s user and with the mark',
    async (transport) => {
      const sandbox = await connect();
      const pty = await sandbox.pty.create({ cols: 80, rows: 24, transport });
      await pty.channel.send(new TextEncoder().encode('echo got-$((6*7))\n'));
      let text = '';
      for await (const event of pty.channel) {
        if (event.type !== 'output') continue;
        text += new TextDecoder().decode(event.data);
        pty.channel.ack(event.offset + event.data.length);
        if (text.includes('got-42')) break;
      }
      const [process] = await sandbox.commands.list();
      expect(process?.pid).toBe(pty.pid);
      await pty.kill();
      await sandbox.kill();
    },
  );

  test.each(['websocket', 'connect'] as const)(
    'that is loaded again is back in its shell by %s',
    async (transport) => {
      const before = await connect();
      const pty = await before.pty.create({ cols: 80, rows: 24, transport });
      await pty.channel.send(new TextEncoder().encode('x=7\n'));
      pty.channel.close();
      const after = await Sandbox.connect({
        session: await fetchSession(`${url}/api/sandbox`, {
          sandboxId: before.sandboxId,
          headers: { 'x-user': 'ann' },
        }),
        WebSocket: WebSocket as unknown as typeof globalThis.WebSocket,
      });
      const again = await after.pty.connect(pty.pid, { cols: 80, rows: 24, transport });
      await again.channel.send(new TextEncoder().encode('echo still-$((5*x))\n'));
      let text = '';
      for await (const event of again.channel) {
        if (event.type !== 'output') continue;
        text += new TextDecoder().decode(event.data);
        again.channel.ack(event.offset + event.data.length);
        if (text.includes('still-35')) break;
      }
      await again.kill();
      await after.kill();
    },
  );

  test('is told in one stable word that its sandbox is gone', async () => {
    const sandbox = await connect();
    await sandbox.kill();
    await expect(sandbox.files.read('/x')).rejects.toMatchObject({ code: 'sandbox_not_found' });
    await expect(sandbox.commands.run('ls')).rejects.toMatchObject({ code: 'sandbox_not_found' });
    await expect(fetchSession(`${url}/api/sandbox`, { sandboxId: sandbox.sandboxId })).rejects.toMatchObject({
      code: 'sandbox_not_found',
    });
  });

  test('that leaves a stream ends it in the sandbox too', async () => {
    const sandbox = await connect();
    const command = await sandbox.commands.run('while echo x; do sleep 0.05; done', { background: true });
    for await (const _ of command) break;
    await command.kill();
    await sandbox.kill();
  });
});

describe('a body', () => {
  test('that is refused is answered before it is all sent', async () => {
    const { token, sandboxId } = await session();
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const request = httpRequest(`${url}/api/sandbox/envd/${sandboxId}/process.Process/List`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/proto' },
      });
      request.once('response', (response) => {
        response.resume();
        resolve(response.statusCode);
        request.destroy();
      });
      request.once('error', reject);
      request.write(Buffer.alloc(2_000_000));
    });
    expect(status).toBe(413);
  });
});

describe('an upgrade', () => {
  interface Closed {
    code: number;
    reason: string;
    protocol: string;
  }

  function attempt(
    path: string,
    options: { protocol?: string; origin?: string; hello?: unknown } = {},
  ): Promise<Closed> {
    const { protocol = 'e2b-edge.pty.v1' } = options;
    const socket = new WebSocket(
      `${url.replace('http', 'ws')}/api/sandbox${path}`,
      protocol === '' ? [] : [protocol],
      {
        ...(options.origin !== undefined && { origin: options.origin }),
      },
    );
    return new Promise((resolve, reject) => {
      socket.once('open', () => {
        if (options.hello !== undefined) socket.send(hello(options.hello));
      });
      socket.once('close', (code, reason) =>
        resolve({ code, reason: reason.toString(), protocol: socket.protocol }),
      );
      socket.once('error', reject);
    });
  }

  function hello(payload: unknown): Buffer {
    return Buffer.concat([Buffer.from([1]), Buffer.alloc(8), Buffer.from(JSON.stringify(payload))]);
  }

  const opening = (token: string) => ({
    token,
    clientId: 'c1',
    create: { createKey: crypto.randomUUID() },
    have: 0,
    acked: 0,
    window: 262_144,
    mode: 'write',
    cols: 80,
    rows: 24,
  });

  test('from a page of another site is closed at once, before it has said anything', async () => {
    expect(await attempt('/pty/i1', { origin: 'https://evil.example' })).toMatchObject({
      code: 4403,
      reason: 'origin_not_allowed',
    });
    expect(events.at(-1)).toMatchObject({ action: 'pty', outcome: 'refused', code: 'origin_not_allowed' });
  });

  test('of another protocol, or of none, is none', async () => {
    await expect(attempt('/pty/i1', { protocol: 'chat', origin })).rejects.toThrow('400');
    await expect(attempt('/pty/i1', { protocol: '', origin })).rejects.toThrow('400');
  });

  test('of no such sandbox id, or elsewhere, is none', async () => {
    await expect(attempt('/pty/A.b', { origin })).rejects.toThrow('404');
    await expect(attempt('/sessions', { origin })).rejects.toThrow('405');
  });

  test('with a token that is not good is closed with 4401', async () => {
    const { sandboxId } = await session();
    expect(await attempt(`/pty/${sandboxId}`, { origin, hello: opening('nonsense') })).toMatchObject({
      code: 4401,
    });
  });

  test('with a token of another sandbox is closed with 4401', async () => {
    const [mine, other] = [await session(), await session()];
    expect(await attempt(`/pty/${other.sandboxId}`, { origin, hello: opening(mine.token) })).toMatchObject({
      code: 4401,
    });
  });

  test('without the grant is closed with 4403', async () => {
    grants = { commands: 'run' };
    const { sandboxId, token } = await session();
    grants = all;
    expect(await attempt(`/pty/${sandboxId}`, { origin, hello: opening(token) })).toMatchObject({
      code: 4403,
    });
  });

  test('to a process that is not the subject’s finds none', async () => {
    const minted = await session();
    const sandbox = await Sandbox.connect({ session: minted });
    const { create: _create, ...rest } = opening(minted.token);
    expect(await attempt(`/pty/${minted.sandboxId}`, { origin, hello: { ...rest, pty: 1 } })).toMatchObject({
      code: 4404,
    });
    await sandbox.kill();
  });

  test('to another’s terminal in a shared sandbox finds none, while its owner is in it', async () => {
    shared = (await session()).sandboxId;
    const [ann, eve] = [await session('ann'), await session('eve')];
    shared = undefined;
    const sandbox = await Sandbox.connect({
      session: ann,
      WebSocket: WebSocket as unknown as typeof globalThis.WebSocket,
    });
    const pty = await sandbox.pty.create({ cols: 80, rows: 24, transport: 'websocket' });
    const { create: _create, ...rest } = opening(eve.token);
    const stolen = await attempt(`/pty/${eve.sandboxId}`, { origin, hello: { ...rest, pty: pty.pid } });
    expect(stolen).toMatchObject({ code: 4404 });
    const eves = await Sandbox.connect({ session: eve });
    expect(await eves.commands.list()).toEqual([]);
    await expect(eves.pty.connect(pty.pid, { transport: 'connect' })).rejects.toMatchObject({
      code: 'process_not_found',
    });
    await pty.kill();
    await sandbox.kill();
  });
});
