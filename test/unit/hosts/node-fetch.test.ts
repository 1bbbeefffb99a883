import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { nodeFetch } from '../../../src/hosts/node/node-fetch.js';

const servers: ReturnType<typeof createServer>[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

function pieces(
  count: number,
  size: number,
  onPull: () => void = () => undefined,
): ReadableStream<Uint8Array> {
  let sent = 0;
  return new ReadableStream(
    {
      pull(controller) {
        onPull();
        if (sent++ === count) controller.close();
        else controller.enqueue(new Uint8Array(size).fill(65));
      },
    },
    { highWaterMark: 0 },
  );
}

const send = (url: string, body: ReadableStream<Uint8Array>, init: RequestInit = {}): Promise<Response> =>
  nodeFetch(url, { method: 'POST', body, redirect: 'manual', duplex: 'half', ...init } as RequestInit);

test.each(['POST', 'DELETE', 'PUT'])(
  '%s sends a stream as it is, and a redirect comes back',
  async (method) => {
    const url = await serve(async (request, response) => {
      let size = 0;
      for await (const chunk of request) size += (chunk as Buffer).length;
      const headers = { location: `/${request.method}/${size}`, 'set-cookie': ['a=1', 'b=2'] };
      response.writeHead(303, headers).end('see');
    });
    const response = await send(url, pieces(3, 100_000), { method });
    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toBe(`/${method}/300000`);
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(await response.text()).toBe('see');
  },
);

test('keeps nothing of what it sends', async () => {
  const url = await serve((request, response) => {
    request.resume().once('end', () => response.end('done'));
  });
  const megabyte = 1024 * 1024;
  const total = 256;
  const held = (): number => process.memoryUsage().arrayBuffers / megabyte;
  const before = held();
  let most = 0;
  const body = pieces(total, megabyte, () => {
    most = Math.max(most, held() - before);
  });
  expect(await (await send(url, body)).text()).toBe('done');
  expect(most).toBeLessThan(total / 2);
});

test.each<[string, Buffer | string, string]>([
  ['gzip', gzipSync('plain'), 'plain'],
  ['X-GZip', gzipSync('plain'), 'plain'],
  ['deflate', deflateSync('plain'), 'plain'],
  ['br', brotliCompressSync('plain'), 'plain'],
  ['gzip, br', brotliCompressSync(gzipSync('plain')), 'plain'],
  ['gzip', '', ''],
  ['unheard-of', 'as it is', 'as it is'],
])('unpacks what is packed, as fetch does: %s', async (encoding, body, text) => {
  const url = await serve((request, response) => {
    request.resume();
    response.writeHead(200, { 'content-encoding': encoding }).end(body);
  });
  expect(await (await send(url, pieces(1, 1))).text()).toBe(text);
  expect(await (await fetch(url)).text()).toBe(text);
});

test.each(['gzip', 'br', 'deflate', 'gzip, br'])(
  'what is no %s breaks off, also where the connection stays open',
  async (encoding) => {
    const url = await serve((request, response) => {
      request.resume();
      response.writeHead(200, { 'content-encoding': encoding }).write('this is none of it');
    });
    await expect((await send(url, pieces(1, 1))).text()).rejects.toThrow();
  },
);

test('an answer without a body has none', async () => {
  const url = await serve((request, response) => {
    request.resume();
    response.writeHead(204).end();
  });
  expect((await send(url, pieces(0, 0))).body).toBeNull();
});

test('rejects where nothing answers, and where its body breaks off', async () => {
  const url = await serve((request) => void request.resume());
  const broken = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.error(new Error('broke off')),
  });
  await expect(send(url, broken)).rejects.toThrow('broke off');
  const [server] = servers;
  server?.close().closeAllConnections();
  await expect(send(url, pieces(1, 1))).rejects.toThrow();
});

test('stops when it is aborted, before the answer and in the middle of it', async () => {
  const url = await serve((request, response) => {
    request.resume();
    if (request.url === '/silent') return;
    response.writeHead(200).write('begin');
  });
  const stop = new AbortController();
  const silent = send(`${url}silent`, pieces(1, 1), { signal: stop.signal });
  const response = await send(url, pieces(1, 1), { signal: stop.signal });
  const reader = response.body?.getReader();
  expect((await reader?.read())?.done).toBe(false);
  stop.abort();
  await expect(silent).rejects.toThrow();
  await expect(reader?.read()).rejects.toThrow();
});
