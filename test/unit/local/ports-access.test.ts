import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LocalServer } from '../../../src/local/local-server.js';
import { ask, exchange } from './support/raw-http.js';
import { api, type Created, createSandbox, startServer } from './support/server.js';
import { portHost, startService, webService } from './support/service.js';

/** Answers each connection with all that came on it within a moment of silence. */
const mirror = `
import { createServer } from 'node:net';
createServer((socket) => {
  let all = '';
  let timer;
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    all += chunk.toString('latin1');
    clearTimeout(timer);
    timer = setTimeout(() => {
      const body = JSON.stringify(all);
      socket.end('HTTP/1.1 200 OK\\r\\nContent-Length: ' + Buffer.byteLength(body) + '\\r\\n\\r\\n' + body);
    }, 150);
  });
}).listen(3001, '127.0.0.1', () => console.log('listening'));
`;

let server: LocalServer;
let sandbox: Created;
let host: string;

beforeAll(async () => {
  server = await startServer();
  sandbox = await createSandbox(server);
  host = portHost(server, sandbox, 3001);
  await startService(server, sandbox, mirror);
});

/** What reached the service of a request that is written as given. */
async function seen(request: string | Buffer): Promise<string> {
  const answer = await exchange(server.port, request);
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  return JSON.parse(Buffer.from(answer.slice(answer.indexOf('\r\n\r\n') + 4), 'latin1').toString('utf8'));
}

describe('no request hides in another', () => {
  test.each([
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n'],
    ['a length and chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'],
    ['an encoding that is none', 'Transfer-Encoding: xchunked\r\n'],
    ['chunks that are not last', 'Transfer-Encoding: chunked, identity\r\n'],
    ['a length that is none', 'Content-Length: +5\r\n'],
    ['a folded header', 'X-A: 1\r\n b\r\n'],
    ['a space before the colon', 'Transfer-Encoding : chunked\r\n'],
    ['a bare line feed', 'X-A: 1\nTransfer-Encoding: chunked\r\n'],
    ['two hosts', 'Host: evil.example\r\n'],
  ])('%s: 400', async (_what, headers) => {
    const answer = await exchange(
      server.port,
      `POST / HTTP/1.1\r\nHost: ${host}\r\n${headers}Connection: close\r\n\r\n0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: x\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  test('the service gets one request a connection, with one length', async () => {
    const one = await seen(
      `POST /one HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 4\r\nConnection: content-length, close\r\n\r\nbody`,
    );
    expect(one).toMatch(/^POST \/one HTTP\/1\.1\r\n/);
    expect(one.match(/content-length/gi)).toHaveLength(1);
    expect(one).toMatch(/\r\n\r\nbody$/);
  });

  test('chunks are made anew', async () => {
    const all = await seen(
      `POST / HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2;x=y\r\nab\r\n2\r\ncd\r\n0\r\n\r\n`,
    );
    expect(all).not.toContain('x=y');
    expect(all.replace(/[\s\S]*?\r\n\r\n/, '').replace(/[0-9a-f]+\r\n(.*)\r\n/g, '$1')).toMatch(/^abcd/);
  });

  test('bytes above ASCII stay as they are', async () => {
    const request = `GET / HTTP/1.1\r\nHost: ${host}\r\nX-A: \xff\xfe\r\nConnection: close\r\n\r\n`;
    expect(await seen(Buffer.from(request, 'latin1'))).toContain('X-A: \xff\xfe\r\n');
  });
});

describe('what is no path of this server', () => {
  test.each(['GET http://evil.example/ HTTP/1.1', 'GET evil HTTP/1.1', 'GET * HTTP/1.1'])(
    '%s: 400',
    async (line) => {
      const answer = await exchange(server.port, `${line}\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    },
  );

  test('CONNECT: 405, to whatever it leads', async () => {
    for (const target of ['evil.example:443', '127.0.0.1:22', host]) {
      const answer = await exchange(server.port, `CONNECT ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1\.1 405 /);
    }
  });

  test('OPTIONS * is the service’s', async () => {
    expect(await seen(`OPTIONS * HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)).toMatch(
      /^OPTIONS \* /,
    );
  });
});

describe('private traffic', () => {
  test('needs the sandbox’s token, and envd does not', async () => {
    const closed = await createSandbox(server, { network: { allowPublicTraffic: false } });
    const { trafficAccessToken } = closed as Created & { trafficAccessToken: string };
    await startService(server, closed, webService(3000, '127.0.0.1'));
    const of = (headers: Record<string, string>) =>
      ask(server.port, { path: '/about', headers: { host: portHost(server, closed, 3000), ...headers } });
    const missing = await of({});
    expect(missing).toMatchObject({ status: 403 });
    expect(JSON.parse(missing.body)).toMatchObject({ sandboxId: closed.sandboxID, code: 403 });
    expect(missing.body).toContain("'e2b-traffic-access-token' is missing");
    expect((await of({ 'e2b-traffic-access-token': closed.envdAccessToken })).body).toContain('is wrong');
    expect((await of({ 'e2b-traffic-access-token': trafficAccessToken })).status).toBe(200);
    const health = await ask(server.port, {
      path: '/health',
      headers: { host: `49983-${closed.sandboxID}.localhost` },
    });
    expect(health.status).toBe(204);
  });
});

test('a masked host is what the service sees', async () => {
  const masked = await createSandbox(server, { network: { maskRequestHost: `localhost:\${PORT}` } });
  await startService(server, masked, webService(3000, '127.0.0.1'));
  const name = portHost(server, masked, 3000);
  const { body } = await ask(server.port, {
    path: '/about',
    headers: { host: name, 'x-forwarded-host': 'evil' },
  });
  const { rawHeaders } = JSON.parse(body) as { rawHeaders: string[] };
  expect(rawHeaders.slice(0, 4)).toEqual(['Host', 'localhost:3000', 'X-Forwarded-Host', name]);
  expect(rawHeaders).not.toContain('evil');
});

describe('a paused sandbox', () => {
  test('is not found, unless it may be woken', async () => {
    const asleep = await createSandbox(server);
    await startService(server, asleep, webService(3000, '127.0.0.1'));
    await api(server, 'POST', `/sandboxes/${asleep.sandboxID}/pause`);
    const answer = await ask(server.port, { headers: { host: portHost(server, asleep, 3000) } });
    expect(answer.status).toBe(502);
    expect(answer.body).toContain('was not found');
  });

  test('is woken by traffic, where it was created so', async () => {
    const dozing = await createSandbox(server, {
      autoPause: true,
      autoResume: { enabled: true },
      network: { allowPublicTraffic: false },
    });
    const { trafficAccessToken } = dozing as Created & { trafficAccessToken: string };
    await startService(server, dozing, webService(3000, '127.0.0.1'));
    await api(server, 'POST', `/sandboxes/${dozing.sandboxID}/pause`);
    const of = (headers: Record<string, string>) =>
      ask(server.port, { path: '/about', headers: { host: portHost(server, dozing, 3000), ...headers } });
    expect(await of({})).toMatchObject({ status: 403 });
    const detail = await (await api(server, 'GET', `/sandboxes/${dozing.sandboxID}`)).json();
    expect(detail).toMatchObject({ state: 'paused' });
    expect(await of({ 'e2b-traffic-access-token': trafficAccessToken })).toMatchObject({ status: 200 });
  });
});

describe('without isolation', () => {
  test('a port is this machine’s, but never the server’s own', async () => {
    const plain = await startServer({ isolation: 'none' });
    const its = await createSandbox(plain);
    const own = await ask(plain.port, { headers: { host: portHost(plain, its, plain.port) } });
    expect(own.status).toBe(502);
    const service = createServer((socket) => socket.end('HTTP/1.1 204 No Content\r\n\r\n')).listen(
      0,
      '127.0.0.1',
    );
    await once(service, 'listening');
    const { port } = service.address() as { port: number };
    expect((await ask(plain.port, { headers: { host: portHost(plain, its, port) } })).status).toBe(204);
    service.close();
  });
});

describe('localhost', () => {
  test('is listened to at both of its addresses', async () => {
    const both = await startServer({ host: 'localhost' });
    expect(both.apiUrl).toBe(`http://localhost:${both.port}`);
    for (const address of ['127.0.0.1', '::1']) {
      const socket = connect(both.port, address);
      await once(socket, 'connect');
      socket.destroy();
    }
  });

  test('is not listened to at all when one of them is taken', async () => {
    // Not one of those that the system gives to connections: somebody else's would count as a server that was left.
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const other = createServer().listen(port, '::1');
    await once(other, 'listening');
    await expect(startServer({ host: 'localhost', port })).rejects.toMatchObject({ code: 'port_in_use' });
    const free = createServer().listen(port, '127.0.0.1');
    await once(free, 'listening');
    free.close();
    other.close();
  });
});
