import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { fetchSession, Sandbox } from '../../../src/browser.js';
import { createNodeBroker, type NodeBroker } from '../../../src/hosts/node/create-node-broker.js';
import type { Grant, Session } from '../../../src/wire/session.js';
import { startLocalE2B } from './support/local-e2b.js';

/** What a page gets, beside what `test/broker` tries in every host. */
const grants: Grant = {
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
/** How long a new sandbox lives without anybody, in milliseconds. */
let timeoutMs = 300_000;
/** The sandbox of everybody, where they share one. */
let shared: string | undefined;

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

  test('has a terminal by Connect, as the sandbox’s user and with the mark', async () => {
    const sandbox = await connect();
    const pty = await sandbox.pty.create({ cols: 80, rows: 24, transport: 'connect' });
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
  });

  test('that is loaded again is back in its shell by Connect', async () => {
    const before = await connect();
    const pty = await before.pty.create({ cols: 80, rows: 24, transport: 'connect' });
    await pty.channel.send(new TextEncoder().encode('x=7\n'));
    pty.channel.close();
    const after = await Sandbox.connect({
      session: await fetchSession(`${url}/api/sandbox`, {
        sandboxId: before.sandboxId,
        headers: { 'x-user': 'ann' },
      }),
      WebSocket: WebSocket as unknown as typeof globalThis.WebSocket,
    });
    const again = await after.pty.connect(pty.pid, { cols: 80, rows: 24, transport: 'connect' });
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
  });
});

describe('an upgrade', () => {
  /** Says hello, and tells what the socket is closed with. */
  function attempt(sandboxId: string, hello: unknown): Promise<number> {
    const address = `${url.replace('http', 'ws')}/api/sandbox/pty/${sandboxId}`;
    const socket = new WebSocket(address, 'e2b-edge.pty.v1', { origin });
    return new Promise((resolve, reject) => {
      socket.once('open', () =>
        socket.send(Buffer.concat([Buffer.from([1]), Buffer.alloc(8), Buffer.from(JSON.stringify(hello))])),
      );
      socket.once('close', resolve);
      socket.once('error', reject);
    });
  }

  const opening = (token: string, pty: number) => ({
    token,
    pty,
    clientId: 'c1',
    have: 0,
    acked: 0,
    window: 262_144,
    mode: 'write',
    cols: 80,
    rows: 24,
  });

  test('to a process that is not the subject’s finds none', async () => {
    const minted = await session();
    const sandbox = await Sandbox.connect({ session: minted });
    expect(await attempt(minted.sandboxId, opening(minted.token, 1))).toBe(4404);
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
    expect(await attempt(eve.sandboxId, opening(eve.token, pty.pid))).toBe(4404);
    const eves = await Sandbox.connect({ session: eve });
    expect(await eves.commands.list()).toEqual([]);
    await expect(eves.pty.connect(pty.pid, { transport: 'connect' })).rejects.toMatchObject({
      code: 'process_not_found',
    });
    await pty.kill();
    await sandbox.kill();
  });
});
