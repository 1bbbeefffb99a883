import { once } from 'node:events';
import { type ClientRequest, request } from 'node:http';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LocalServer } from '../../../src/local/local-server.js';
import { ask, dial, everything, exchange } from './support/raw-http.js';
import { run, sh, stream } from './support/rpc.js';
import { api, type Created, createSandbox, envdHeaders, startServer } from './support/server.js';

let server: LocalServer;
let sandbox: Created;

beforeAll(async () => {
  server = await startServer();
  sandbox = await createSandbox(server);
});

function hosts(): Record<'envd' | 'control' | 'port', string> {
  return {
    envd: `49983-${sandbox.sandboxID}.localhost`,
    control: `localhost:${server.port}`,
    port: `3000-${sandbox.sandboxID}.localhost`,
  };
}

async function works(): Promise<void> {
  expect((await run(server, sandbox, sh('echo well'))).stdout).toBe('well\n');
  expect((await api(server, 'GET', `/sandboxes/${sandbox.sandboxID}`)).status).toBe(200);
}

describe('odd methods', () => {
  test.each(['HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'DELETE', 'M-SEARCH'])(
    '%s gets an answer from all faces',
    async (method) => {
      for (const host of [hosts().envd, hosts().control]) {
        const headers = { ...envdHeaders(sandbox), 'x-api-key': server.apiKey, host };
        for (const path of ['/files', '/health', '/process.Process/List', '/sandboxes']) {
          const { status } = await ask(server.port, { method, path, headers });
          expect(status).toBeGreaterThanOrEqual(400);
          expect(status).toBeLessThan(500);
        }
      }
      await works();
    },
  );

  test('a method that is none: 400', async () => {
    const answer = await exchange(server.port, `NONE / HTTP/1.1\r\nHost: ${hosts().envd}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe('odd headers', () => {
  test('too many bytes of them: 431', async () => {
    for (const host of Object.values(hosts())) {
      const answer = await exchange(
        server.port,
        `GET / HTTP/1.1\r\nHost: ${host}\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    }
  });

  test.each([
    ['of one name', 'A:\r\n'.repeat(2500)],
    ['of many names', Array.from({ length: 1500 }, (_, i) => `A${i}:\r\n`).join('')],
  ])('thousands of them %s, of which none is lost', async (_names, many) => {
    const answer = await exchange(
      server.port,
      `GET /envs HTTP/1.1\r\nHost: ${hosts().envd}\r\n${many}X-Access-Token: ${sandbox.envdAccessToken}\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('none at all, and HTTP/1.0', async () => {
    expect(await exchange(server.port, 'GET / HTTP/1.1\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect(await exchange(server.port, 'GET / HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 421 /);
    const old = await exchange(server.port, `GET /health HTTP/1.0\r\nHost: ${hosts().envd}\r\n\r\n`);
    expect(old).toMatch(/^HTTP\/1\.1 204 /);
  });

  test.each(['x-access-token', 'e2b-sandbox-id', 'e2b-sandbox-port'])('%s twice', async (name) => {
    const { status } = await ask(server.port, {
      path: '/envs',
      headers: { ...envdHeaders(sandbox), host: hosts().control, [name]: ['a', 'b'] },
    });
    expect([400, 401]).toContain(status);
  });

  test('TLS, HTTP/2 and noise', async () => {
    const noises = [
      '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      '\0\0\0\0\r\n\r\n',
    ];
    for (const noise of noises) {
      const answer = await exchange(server.port, Buffer.from(noise, 'latin1'));
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    }
    await works();
  });
});

describe('clients that leave or say nothing', () => {
  test('one that ends its half is let go of', async () => {
    const { envd, control, port } = hosts();
    for (const host of [envd, control, port]) {
      const socket = await dial(server.port);
      socket.end(`GET /health HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      // As by Go's servers, which take it for one that has left.
      expect(await everything(socket)).toMatch(/^$|^HTTP\/1\.1 /);
    }
    await works();
  });

  test('hundreds that stay silent, or stop in the middle, keep nobody from working', async () => {
    const { envd, control, port } = hosts();
    const upload = `POST /files?path=x HTTP/1.1\r\nHost: ${envd}\r\nX-Access-Token: ${sandbox.envdAccessToken}\r\nContent-Type: application/octet-stream\r\nContent-Length: 9\r\n\r\nhalf`;
    const starts = [
      '',
      'GET / HT',
      `GET / HTTP/1.1\r\nHost: ${envd}\r\n`,
      `POST /sandboxes HTTP/1.1\r\nHost: ${control}\r\nX-Api-Key: ${server.apiKey}\r\nContent-Length: 99\r\n\r\n{`,
      `POST / HTTP/1.1\r\nHost: ${port}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe`,
      upload,
    ];
    const sockets = await Promise.all(Array.from({ length: 240 }, () => dial(server.port)));
    for (const [index, socket] of sockets.entries()) {
      socket.on('error', () => {});
      socket.write(starts[index % starts.length]!);
    }
    await works();
    for (const [index, socket] of sockets.entries()) {
      if (index % 3 === 0) socket.resetAndDestroy();
      else if (index % 3 === 1) socket.end();
      else socket.destroy();
    }
    await works();
    for (const socket of sockets) socket.destroy();
  });

  test('one that leaves at any point of an answer', async () => {
    for (let i = 0; i < 60; i++) {
      const sent = request({
        host: '127.0.0.1',
        port: server.port,
        path: '/process.Process/List',
        method: 'POST',
        headers: { ...envdHeaders(sandbox), host: hosts().control, 'content-type': 'application/json' },
      });
      sent.on('error', () => {});
      sent.end('{}');
      if (i % 4 === 0) sent.destroy();
      else if (i % 4 === 1) setImmediate(() => sent.destroy());
      else if (i % 4 === 2) setTimeout(() => sent.destroy(), i % 5);
      else await once(sent, 'response').then(() => sent.destroy());
    }
    await works();
  });
});

test('300 open streams, and every one gets its events', async () => {
  const request = { process: { cmd: '/bin/sh', args: ['-c', 'read line; echo "$line"'] }, stdin: true };
  const first = await stream(server, sandbox, 'process.Process/Start', request);
  const { pid } = (await first.next()).event.start;
  const others = await Promise.all(
    Array.from({ length: 299 }, () =>
      stream(server, sandbox, 'process.Process/Connect', { process: { pid } }),
    ),
  );
  for (const one of others) expect((await one.next()).event.start.pid).toBe(pid);
  await works();
  const send = await fetch(`${server.sandboxUrl}/process.Process/SendInput`, {
    method: 'POST',
    headers: { ...envdHeaders(sandbox), 'content-type': 'application/json' },
    body: JSON.stringify({ process: { pid }, input: { stdin: Buffer.from('to all\n').toString('base64') } }),
  });
  expect(send.status).toBe(200);
  for (const one of [first, ...others]) {
    const messages = await one.rest();
    const text = messages
      .map(({ event }) => Buffer.from(event.data?.stdout ?? '', 'base64').toString())
      .join('');
    expect(text).toBe('to all\n');
  }
});

describe('a sandbox that is not secured', () => {
  test('is open to who knows its id, and to nobody without one', async () => {
    const open = (await (
      await api(server, 'POST', '/sandboxes', { templateID: 'base', secure: false })
    ).json()) as Created;
    expect(open.envdAccessToken ?? undefined).toBeUndefined();
    const host = `49983-${open.sandboxID}.localhost`;
    expect((await ask(server.port, { path: '/envs', headers: { host } })).status).toBe(200);
    expect((await ask(server.port, { path: '/files?path=.bashrc', headers: { host } })).status).toBe(200);
    const nameless = await ask(server.port, {
      path: '/files?path=.bashrc',
      headers: { host: hosts().control },
    });
    expect(nameless.status).toBe(401);
    await api(server, 'DELETE', `/sandboxes/${open.sandboxID}`);
  });
});

test('what stays open is closed with the server', async () => {
  const own = await startServer();
  const its = await createSandbox(own);
  const events = await stream(own, its, 'process.Process/Start', sh('sleep 600') as object);
  await events.next();
  const sent: ClientRequest = request({
    host: '127.0.0.1',
    port: own.port,
    method: 'POST',
    path: '/sandboxes',
    headers: { host: `localhost:${own.port}`, 'x-api-key': own.apiKey, 'content-length': 10 },
  });
  sent.on('error', () => {});
  sent.write('{');
  await once(sent, 'socket');
  await own.close();
  await expect(events.next()).rejects.toThrow();
});
