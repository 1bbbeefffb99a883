/** Streams through the hosts: at the pace of who reads them, and ended where they are left. */

import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createNodeBroker } from '../../../src/hosts/node/create-node-broker.js';
import { encodeEnvelope } from '../../../src/wire/envelope.js';
import type { Session } from '../../../src/wire/session.js';
import { type FakeE2B, startFakeE2B } from '../broker/support/fake-e2b.js';
import { everything } from '../broker/support/harness.js';
import { startWorker } from './support/worker-bundle.js';

const piece = Buffer.alloc(64 * 1024);
/** More than all buffers on the way can hold together. */
const pieces = 2048;

let fake: FakeE2B;
const hosts: Record<string, { url: string; close(): Promise<void> }> = {};

beforeAll(async () => {
  fake = await startFakeE2B();
  hosts.node = await startNode(fake);
  hosts.workerd = await startWorker(fake.url, fake.apiKey);
});

afterAll(async () => {
  for (const { close } of Object.values(hosts)) await close();
  await fake.close();
});

async function startNode({ url, apiKey }: FakeE2B) {
  const broker = createNodeBroker({
    apiKey,
    apiUrl: url,
    sandboxUrl: url,
    signingKeys: { current: 'a secret of more than thirty-two bytes' },
    origins: ['https://app.example'],
    limits: { mintsPerMinute: 1000 },
    basePath: '/api/sandbox',
    authorize: () => ({ subject: 'ann', sandbox: { template: 'base' }, grants: everything }),
  });
  const server = createServer(broker.handleRequest);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      broker.close();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Where the session's envd is, and its credential. */
async function open(name: string): Promise<{ base: string; headers: Record<string, string> }> {
  const { url } = hosts[name] as { url: string };
  const response = await fetch(`${url}/api/sandbox/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  const { token, urls } = (await response.json()) as Session;
  return { base: url + urls.envd, headers: { authorization: `Bearer ${token}` } };
}

/** Takes over the next request of a path. */
function takeOver(path: string): Promise<{ request: IncomingMessage; response: ServerResponse }> {
  return new Promise((resolve) => {
    fake.onRaw = (request, response) => {
      if (!request.url?.startsWith(path)) return false;
      fake.onRaw = undefined;
      resolve({ request, response });
      return true;
    };
  });
}

/** Whether a count came to rest before it was done: nothing is written any more, and not because all is. */
async function restsBelow(count: () => number, total: number): Promise<boolean> {
  let last = -1;
  await vi.waitFor(
    () => {
      const now = count();
      const rests = now === last || now >= total;
      last = now;
      if (!rests || now === 0) throw new Error('it still grows');
    },
    { interval: 500, timeout: 30_000 },
  );
  return last < total;
}

const start = { 'content-type': 'application/connect+proto' };
// StartRequest { process { cmd: "x" } }
const body = encodeEnvelope(0, new Uint8Array([0x0a, 3, 0x0a, 1, 0x78]));

const begin = (base: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response> =>
  fetch(`${base}/process.Process/Start`, {
    method: 'POST',
    // Miniflare would pack, and hold back, what is small.
    headers: { ...headers, ...start, 'accept-encoding': 'identity' },
    body,
    signal,
  });

// workerd cannot: it learns that nobody listens when it next writes, and here it has nothing to write.
test('a stream through node that is left before its first byte ends upstream', async () => {
  const { base, headers } = await open('node');
  const upstream = takeOver('/process.Process/Start');
  const controller = new AbortController();
  const answer = begin(base, headers, controller.signal).catch(() => undefined);
  const { response } = await upstream;
  const closed = once(response, 'close');
  controller.abort();
  await answer;
  await closed;
});

describe.each(['node', 'workerd'])('a stream through %s', (host) => {
  test('that is left ends upstream', async () => {
    const { base, headers } = await open(host);
    const upstream = takeOver('/process.Process/Start');
    const controller = new AbortController();
    const answer = begin(base, headers, controller.signal);
    const { response } = await upstream;
    response.writeHead(200, start);
    // workerd learns that nobody listens when it next writes; envd says something at least every 50 s.
    const talk = setInterval(() => response.write(encodeEnvelope(0, new Uint8Array())), 20);
    const closed = once(response, 'close').finally(() => clearInterval(talk));
    await (await answer).body?.getReader().read();
    controller.abort();
    await closed;
  });

  test('that breaks off upstream does not look whole', async () => {
    const { base, headers } = await open(host);
    const upstream = takeOver('/files');
    const answer = fetch(`${base}/files?path=/x`, { headers });
    const { response } = await upstream;
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'content-length': 2 * piece.length,
    });
    response.write(piece);
    const { body: download } = await answer;
    const reader = download?.getReader();
    await reader?.read();
    response.destroy();
    await expect(
      (async () => {
        while (!(await reader?.read())?.done);
      })(),
    ).rejects.toThrow();
  });

  test.each(['/files?path=/x', '/process.Process/Start'])(
    'out of %s waits for who reads it',
    async (path) => {
      const { base, headers } = await open(host);
      const upstream = takeOver(path.split('?')[0] as string);
      const isFile = path.startsWith('/files');
      const url = new URL(base + path);
      const client = httpRequest(url, {
        method: isFile ? 'GET' : 'POST',
        headers: { ...headers, ...(!isFile && start) },
      });
      client.end(isFile ? undefined : body);
      const { response } = await upstream;
      response.writeHead(200, isFile ? {} : start);
      const closed = once(response, 'close');
      let written = 0;
      const write = async (): Promise<void> => {
        for (; written < pieces && !response.destroyed; written++) {
          const data = isFile ? piece : encodeEnvelope(0, piece);
          if (!response.write(data)) await Promise.race([once(response, 'drain'), closed]);
        }
      };
      const writing = write();
      const [answer] = (await once(client, 'response')) as [IncomingMessage];
      answer.pause();
      expect(await restsBelow(() => written, pieces)).toBe(true);
      client.destroy();
      response.destroy();
      await writing;
    },
  );

  test('into a file waits for who writes it', async () => {
    const { base, headers } = await open(host);
    const upstream = takeOver('/files');
    const client = httpRequest(new URL(`${base}/files?path=/home/user/x`), {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/octet-stream' },
    });
    client.on('error', () => undefined);
    let written = 0;
    const write = async (): Promise<void> => {
      for (; written < pieces && !client.destroyed; written++)
        if (!client.write(piece)) await once(client, 'drain');
    };
    void write().catch(() => undefined);
    const { request } = await upstream;
    request.pause();
    expect(await restsBelow(() => written, pieces)).toBe(true);
    client.destroy();
    request.destroy();
  });
});

describe('the Node host', () => {
  function speak(lines: string): Promise<string> {
    const { port } = new URL(hosts.node?.url ?? '');
    const socket = connect(Number(port), '127.0.0.1');
    let answer = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      answer += text;
    });
    socket.write(lines);
    return once(socket, 'close').then(() => answer);
  }

  test.each([
    ['a method that the web has not', 'TRACE /api/sandbox/sessions HTTP/1.1\r\nhost: x\r\n', '400'],
    ['a host that is none', 'GET /api/sandbox/nowhere HTTP/1.1\r\nhost: [x\r\n', '404'],
    [
      'an absolute address of another site',
      'GET http://evil.example/api/sandbox/x HTTP/1.1\r\nhost: x\r\n',
      '404',
    ],
    ['two slashes', 'GET //evil.example/api/sandbox HTTP/1.1\r\nhost: x\r\n', '404'],
    ['a header that is no text', 'GET /api/sandbox/x HTTP/1.1\r\nhost: x\r\nx-a: \xff\r\n', '404'],
    ['an upgrade to something else', 'GET /api/sandbox/x HTTP/1.1\r\nhost: x\r\nupgrade: h2c\r\n', '404'],
  ])('lives on after %s', async (_name, head, status) => {
    expect(await speak(`${head}connection: close\r\n\r\n`)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });
});
