import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LocalServer } from '../../../src/local/local-server.js';
import { ask } from './support/raw-http.js';
import { type Created, createSandbox, startServer } from './support/server.js';
import { portHost, startService, webService } from './support/service.js';
import { until } from './support/until.js';

let server: LocalServer;
let sandbox: Created;
let host: string;

beforeAll(async () => {
  server = await startServer();
  sandbox = await createSandbox(server);
  host = portHost(server, sandbox, 3000);
  await startService(server, sandbox, webService(3000, '127.0.0.1'));
});

async function about(headers: Record<string, string | string[]>, method = 'GET', body?: string) {
  const answer = await ask(
    server.port,
    { path: '/about?a=b%20c', method, headers: { host, ...headers } },
    body,
  );
  expect(answer).toMatchObject({ status: 200 });
  return JSON.parse(answer.body) as {
    method: string;
    url: string;
    rawHeaders: string[];
    rawTrailers: string[];
    body: string;
  };
}

describe('a port is found', () => {
  test.each([
    ['127.0.0.1', 3101],
    ['::1', 3102],
    ['0.0.0.0', 3103],
    ['::', 3104],
  ])('when its service listens on %s', async (address, port) => {
    await startService(server, sandbox, webService(port, address));
    const answer = await ask(server.port, {
      path: '/about',
      headers: { host: portHost(server, sandbox, port) },
    });
    expect(answer.status).toBe(200);
  });

  test('by headers, too', async () => {
    const headers = { 'e2b-sandbox-id': sandbox.sandboxID, 'e2b-sandbox-port': '3000' };
    const response = await fetch(`${server.sandboxUrl}/about`, { headers });
    expect(response.status).toBe(200);
  });

  test('while its service is just starting', async () => {
    const late = portHost(server, sandbox, 3105);
    const asked = ask(server.port, { path: '/about', headers: { host: late } });
    await startService(server, sandbox, webService(3105, '127.0.0.1'));
    expect((await asked).status).toBe(200);
  });

  test('in its own sandbox only', async () => {
    const other = await createSandbox(server);
    const answer = await ask(server.port, {
      path: '/about',
      headers: { host: portHost(server, other, 3000) },
    });
    expect(answer.status).toBe(502);
  });
});

describe('a request', () => {
  test('arrives as it was sent', async () => {
    const seen = await about({ 'X-Mixed-Case': ['1', '2'], cookie: 'a=1' }, 'PATCH', 'a body');
    expect(seen).toMatchObject({ method: 'PATCH', url: '/about?a=b%20c', body: 'a body' });
    expect(seen.rawHeaders).toEqual(expect.arrayContaining(['Host', host, 'X-Mixed-Case', 'cookie', 'a=1']));
    expect(seen.rawHeaders.filter((name) => name === 'X-Mixed-Case')).toHaveLength(2);
  });

  test.each(['GET', 'DELETE', 'PROPFIND', 'POST'])('%s without a body has none', async (method) => {
    expect((await about({}, method)).body).toBe('');
  });

  test('keeps back what is of the connection, and what a client made up about itself', async () => {
    const seen = await about({
      connection: 'keep-alive, x-hop, host, content-length',
      'x-hop': '1',
      'keep-alive': 'timeout=5',
      'proxy-authorization': 'Basic eDp4',
      'x-forwarded-for': '8.8.8.8',
      'x-forwarded-host': 'evil.example',
      forwarded: 'for=8.8.8.8',
    });
    const names = seen.rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
    expect(names.sort()).toEqual(['connection', 'host']);
    expect(seen.rawHeaders).toContain(host);
  });

  test('is streamed while the answer is', async () => {
    const sent = request({
      host: '127.0.0.1',
      port: server.port,
      path: '/echo',
      method: 'POST',
      headers: { host },
    });
    sent.write('one');
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    expect(String((await once(response, 'data'))[0])).toBe('one');
    sent.write('two');
    expect(String((await once(response, 'data'))[0])).toBe('two');
    sent.end();
    expect(await text(response)).toBe('');
  });

  test('may be large', async () => {
    const body = randomBytes(40 << 20);
    const answer = await ask(server.port, { path: '/digest', method: 'PUT', headers: { host } }, body);
    const digest = createHash('sha256').update(body).digest('hex');
    expect(JSON.parse(answer.body)).toEqual({ length: body.length, digest });
  });

  test('brings its trailers', async () => {
    const sent = request({
      host: '127.0.0.1',
      port: server.port,
      path: '/about',
      method: 'POST',
      headers: { host, trailer: 'X-Sum', 'transfer-encoding': 'chunked' },
    });
    sent.write('body');
    sent.addTrailers({ 'X-Sum': '42' });
    sent.end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    expect(JSON.parse(await text(response))).toMatchObject({ body: 'body', rawTrailers: ['X-Sum', '42'] });
  });

  test('ends in the service when the client leaves', async () => {
    const sent = request({ host: '127.0.0.1', port: server.port, path: '/events', headers: { host } });
    sent.on('error', () => {});
    sent.end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    expect(String((await once(response, 'data'))[0])).toBe('data: one\n\n');
    sent.destroy();
    await until('the service saw it', async () => {
      const { body } = await ask(server.port, { path: '/left', headers: { host } });
      return body === 'true';
    });
  });
});

describe('an answer', () => {
  test('comes as the service gave it', async () => {
    const answer = await ask(server.port, {
      path: '/twice',
      headers: { host, origin: 'https://app.example' },
    });
    expect(answer).toMatchObject({ status: 203, statusMessage: 'Fine Too', body: 'twice' });
    expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect(answer.headers).not.toHaveProperty('x-secret');
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
  });

  test('may be large', async () => {
    const answer = await ask(server.port, { path: '/big', headers: { host } });
    expect(answer.body).toHaveLength(32 << 20);
  });

  test('brings its trailers', async () => {
    const answer = await ask(server.port, { path: '/trailers', headers: { host, te: 'trailers' } });
    expect(answer).toMatchObject({ body: 'body', trailers: { 'x-sum': '42' } });
  });

  test('to HEAD has no body', async () => {
    const answer = await ask(server.port, { path: '/twice', method: 'HEAD', headers: { host } });
    expect(answer).toMatchObject({ status: 203, body: '' });
  });

  test('may come before the end of the request', async () => {
    const body = Buffer.alloc(8 << 20);
    const answer = await ask(server.port, { path: '/early', method: 'POST', headers: { host } }, body);
    expect(answer).toMatchObject({ status: 413, body: 'too large' });
  });

  test.each([{}, { 'x-length': '1' }])('that is cut off does not look whole (%j)', async (headers) => {
    await expect(ask(server.port, { path: '/cut', headers: { host, ...headers } })).rejects.toThrow(
      /aborted/,
    );
  });

  test('to a preflight is the service’s own', async () => {
    const headers = { host, origin: 'https://app.example', 'access-control-request-method': 'PUT' };
    const answer = await ask(server.port, { path: '/nowhere', method: 'OPTIONS', headers });
    expect(answer).toMatchObject({ status: 404, body: 'no such path' });
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
  });
});

describe('what cannot be reached', () => {
  test('is said in JSON to programs, which pages may read', async () => {
    const closed = portHost(server, sandbox, 3999);
    const answer = await ask(server.port, { headers: { host: closed, origin: 'https://app.example' } });
    expect(answer.status).toBe(502);
    expect(answer.headers['access-control-allow-origin']).toBe('*');
    expect(JSON.parse(answer.body)).toEqual({
      sandboxId: sandbox.sandboxID,
      message: 'The sandbox is running but port is not open',
      port: 3999,
      code: 502,
    });
  });

  const browser = 'Mozilla/5.0 (X11; Linux x86_64) Chrome/130';
  test.each([
    [{ 'user-agent': browser }, true],
    [{ 'user-agent': browser, 'sec-fetch-mode': 'navigate', 'x-requested-with': 'x' }, true],
    [{ 'user-agent': browser, 'sec-fetch-mode': 'cors' }, false],
    [{ 'user-agent': browser, 'x-requested-with': 'XMLHttpRequest' }, false],
    [{ 'user-agent': browser, accept: 'application/json' }, false],
    [{ 'user-agent': 'curl/8' }, false],
  ])('is a page for people alone: %j', async (headers, isPage) => {
    const answer = await ask(server.port, { headers: { host: '3000-i0.localhost', ...headers } });
    expect(answer.status).toBe(502);
    expect(answer.headers['content-type']).toMatch(isPage ? 'text/html' : 'application/json');
    expect(answer.body).toContain('The sandbox was not found');
  });

  test('includes services that speak something else', async () => {
    const source = `import net from 'node:net'; net.createServer((s) => s.end('220 mail ready\\r\\n')).listen(3025, () => console.log('x'))`;
    await startService(server, sandbox, source);
    const answer = await ask(server.port, { headers: { host: portHost(server, sandbox, 3025) } });
    expect(answer.status).toBe(502);
    expect(answer.body).toContain('did not answer in HTTP');
  });

  test.each([
    ['a status that is none', '099 Odd', 502],
    ['control characters in the phrase', '200 O\\x01K', 200],
    [
      'trailers after an answer without a body',
      '204 None\\r\\nTransfer-Encoding: chunked\\r\\nTrailer: X',
      204,
    ],
    ['the same to a cache', '304 Same\\r\\nTransfer-Encoding: chunked\\r\\nTrailer: X', 304],
  ])('does not end the server: %s', async (_name, head, status) => {
    const port = 3026;
    const source = `import net from 'node:net';
net.createServer((s) => s.once('data', () => s.end('HTTP/1.1 ${head}\\r\\n\\r\\n'))).listen(${port}, () => console.log('x'))`;
    const own = await createSandbox(server);
    await startService(server, own, source);
    const headers = { host: portHost(server, own, port) };
    const upgrade = { connection: 'upgrade', upgrade: 'websocket' };
    for (const more of [{}, upgrade]) {
      const answer = await ask(server.port, { headers: { ...headers, ...more } });
      expect(answer.status).toBe(status);
    }
  });
});
