import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { fetchSession, Sandbox } from '../../../src/browser.js';
import type { Session } from '../../../src/wire/session.js';
import { startLocalE2B } from './support/local-e2b.js';
import { startWorker } from './support/worker-bundle.js';

let e2b: Awaited<ReturnType<typeof startLocalE2B>>;
let worker: Awaited<ReturnType<typeof startWorker>>;
let url: string;

beforeAll(async () => {
  e2b = await startLocalE2B();
  worker = await startWorker(e2b.server.apiUrl, e2b.server.apiKey);
  url = worker.url;
});

afterAll(async () => {
  await worker.close();
  await e2b.close();
});

const relative = /^\/api\/sandbox\//;

/** A page would find the addresses by itself: they are paths of its own site. */
async function session(user = 'ann'): Promise<Session> {
  const minted = await fetchSession(`${url}/api/sandbox`, { headers: { 'x-user': user } });
  for (const address of Object.values(minted.urls)) expect(address).toMatch(relative);
  const urls = Object.fromEntries(Object.entries(minted.urls).map(([name, path]) => [name, url + path]));
  return { ...minted, urls: urls as Session['urls'] };
}

const connect = async (): Promise<Sandbox> =>
  Sandbox.connect({
    session: await session(),
    WebSocket: WebSocket as unknown as typeof globalThis.WebSocket,
  });

describe('through a broker in workerd without nodejs_compat, a page', () => {
  test('runs commands and uses files', async () => {
    const sandbox = await connect();
    expect((await sandbox.commands.run('echo $((6*7))')).stdout).toBe('42\n');
    await sandbox.files.write('/home/user/a.txt', 'hello');
    expect(await sandbox.files.read('/home/user/a.txt')).toBe('hello');
    await expect(sandbox.files.write('/etc/a.txt', 'hello')).rejects.toMatchObject({
      code: 'permission_denied',
    });
    const data = new Uint8Array(2_000_000).map((_, index) => (index * 7919) % 251);
    await sandbox.files.write('/home/user/big.bin', data);
    expect(Buffer.compare(await sandbox.files.read('/home/user/big.bin', { format: 'bytes' }), data)).toBe(0);
    await sandbox.kill();
  });

  test('has a terminal by the Durable Object, which outlives its socket', async () => {
    const sandbox = await connect();
    const pty = await sandbox.pty.create({ cols: 80, rows: 24, transport: 'websocket' });
    const type = async (channel: typeof pty.channel, line: string, awaited: string): Promise<void> => {
      await channel.send(new TextEncoder().encode(line));
      let text = '';
      for await (const event of channel) {
        if (event.type !== 'output') continue;
        text += new TextDecoder().decode(event.data);
        channel.ack(event.offset + event.data.length);
        if (text.includes(awaited)) return;
      }
      throw new Error(`the terminal ended: ${text}`);
    };
    await type(pty.channel, 'x=7; echo got-$((6*x))\n', 'got-42');
    pty.channel.close();
    const again = await sandbox.pty.connect(pty.pid, { cols: 80, rows: 24, transport: 'websocket' });
    await type(again.channel, 'echo still-$((5*x))\n', 'still-35');
    await again.kill();
    await sandbox.kill();
  });

  test('refreshes its session, and ends it', async () => {
    const minted = await session();
    const headers = { authorization: `Bearer ${minted.token}` };
    const fresh = await fetch(minted.urls.refresh, { method: 'POST', headers });
    expect(await fresh.json()).toMatchObject({ sessionId: minted.sessionId, sandboxId: minted.sandboxId });
    const ended = await fetch(minted.urls.session, { method: 'DELETE', headers });
    expect(await ended.json()).toEqual({ revoked: false, killed: true });
  });
});

describe('an upgrade in workerd', () => {
  function closeCode(path: string, options: { origin?: string; first?: string } = {}): Promise<number> {
    const socket = new WebSocket(
      `${url.replace('http', 'ws')}/api/sandbox${path}`,
      'e2b-edge.pty.v1',
      options,
    );
    return new Promise((resolve, reject) => {
      if (options.first !== undefined) socket.once('open', () => socket.send(options.first ?? ''));
      socket.once('close', resolve);
      socket.once('error', reject);
    });
  }

  test('from another site is closed with 4403', async () => {
    expect(await closeCode('/pty/i1', { origin: 'https://evil.example' })).toBe(4403);
  });

  test('that talks another language is closed with 4400', async () => {
    expect(await closeCode('/pty/i1', { first: 'hello' })).toBe(4400);
  });

  test('without an id of a sandbox is none', async () => {
    await expect(closeCode('/pty/A')).rejects.toThrow('404');
  });
});
