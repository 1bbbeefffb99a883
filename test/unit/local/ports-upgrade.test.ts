import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { LocalServer } from '../../../src/local/local-server.js';
import { ask, dial, everything, exchange } from './support/raw-http.js';
import { type Created, createSandbox, envdHeaders, startServer } from './support/server.js';
import { portHost, startService, webService } from './support/service.js';

let server: LocalServer;
let sandbox: Created;
let host: string;

beforeAll(async () => {
  server = await startServer();
  sandbox = await createSandbox(server);
  host = portHost(server, sandbox, 3000);
  await startService(server, sandbox, webService(3000, '127.0.0.1'));
});

function upgrade(target: string, headers: Record<string, string> = {}): string {
  const all = { Host: host, Connection: 'Upgrade', Upgrade: 'telegraph', ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return `GET ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
}

describe('a WebSocket', () => {
  test('carries text and bytes both ways', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/`, { headers: { host } });
    await once(socket, 'open');
    const bytes = randomBytes(300_000);
    for (const message of ['hello', bytes]) {
      socket.send(message);
      const [data] = await once(socket, 'message');
      expect(
        createHash('sha1')
          .update(data as Buffer)
          .digest(),
      ).toEqual(createHash('sha1').update(message).digest());
    }
    socket.terminate();
  });

  test('is refused with the service’s own words', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/no`, { headers: { host } });
    const [error] = await once(socket, 'error');
    expect(String(error)).toContain('403');
  });

  test.each(['3999-{id}', '3000-i0'])('to %s gets an answer', async (label) => {
    const other = `${label.replace('{id}', sandbox.sandboxID)}.localhost`;
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/`, { headers: { host: other } });
    const [error] = await once(socket, 'error');
    expect(String(error)).toContain('502');
  });

  test('ends with its sandbox', async () => {
    const doomed = await createSandbox(server);
    await startService(server, doomed, webService(3000, '127.0.0.1'));
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/`, {
      headers: { host: portHost(server, doomed, 3000) },
    });
    await once(socket, 'open');
    const closed = once(socket, 'close');
    await fetch(`${server.apiUrl}/sandboxes/${doomed.sandboxID}`, {
      method: 'DELETE',
      headers: { 'x-api-key': server.apiKey },
    });
    await closed;
  });
});

describe('another protocol', () => {
  test('may be spoken before the service has agreed', async () => {
    const socket = await dial(server.port);
    socket.write(`${upgrade('/')}early`);
    let all = '';
    while (!all.endsWith('early')) all += String((await once(socket, 'data'))[0]);
    expect(all).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
    socket.destroy();
  });

  test('can be half closed', async () => {
    const socket = await dial(server.port);
    socket.write(upgrade('/'));
    await once(socket, 'data');
    socket.end('last');
    expect(await everything(socket)).toBe('lastbye');
  });

  test('is refused with an answer like any other, and the connection ends', async () => {
    const answer = await exchange(server.port, upgrade('/no'));
    expect(answer).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
    expect(answer).toMatch(/\r\n\r\nno$/);
  });
});

describe('a wish for another protocol is not heard', () => {
  const h2c = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABkAARAAAAA' };

  test('by envd and the control plane', async () => {
    const health = await ask(server.port, {
      path: '/health',
      headers: { ...h2c, host: `49983-${sandbox.sandboxID}.localhost` },
    });
    expect(health.status).toBe(204);
    expect(health.headers.connection).toBe('close');
    const list = await ask(server.port, {
      path: '/v2/sandboxes',
      headers: { ...h2c, host: `localhost:${server.port}`, 'x-api-key': server.apiKey },
    });
    expect(JSON.parse(list.body)).toHaveLength(1);
  });

  test('where a body comes with it', async () => {
    const headers = {
      ...h2c,
      ...envdHeaders(sandbox),
      host: `localhost:${server.port}`,
      'content-type': 'application/json',
    };
    const answer = await ask(
      server.port,
      { path: '/filesystem.Filesystem/ListDir', method: 'POST', headers },
      '{"path":"/","depth":1}',
    );
    expect(answer.status).toBe(200);
    const echo = await ask(server.port, { path: '/echo', method: 'POST', headers: { ...h2c, host } }, 'body');
    expect(echo).toMatchObject({ status: 200, body: 'body' });
  });
});

test('closing the server cuts what is not HTTP any more', async () => {
  const own = await startServer();
  const its = await createSandbox(own);
  await startService(own, its, webService(3000, '127.0.0.1'));
  const socket = await dial(own.port);
  socket.write(upgrade('/', { Host: portHost(own, its, 3000) }));
  await once(socket, 'data');
  const ended = everything(socket);
  await own.close();
  await ended;
});
