import { once } from 'node:events';
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, createServer, type OutgoingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { forward } from '../../../src/local/routing/envd-proxy.js';
import { ask } from './support/raw-http.js';

// Root in a sandbox can take envd's place, and then answer what it likes.

async function answering(headers: OutgoingHttpHeaders, body = '') {
  const envd = createServer().listen(0, '127.0.0.1');
  envd.on('stream', (stream) => {
    stream.on('error', () => {});
    stream.respond(headers, { endStream: body === '' });
    if (body !== '') stream.end(body);
  });
  await once(envd, 'listening');
  const session = connect(`http://127.0.0.1:${(envd.address() as AddressInfo).port}`);
  onTestFinished(() => {
    session.destroy();
    envd.close();
  });
  return session;
}

test.each([
  ['trailers where there is no body', { ':status': 204, trailer: 'x' }],
  ['trailers after a body of known length', { ':status': 200, trailer: 'x', 'content-length': '0' }],
])('what HTTP/1.1 does not know is cut off, and ends nothing else: %s', async (_name, headers) => {
  const session = await answering(headers);
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    response.setHeader('access-control-allow-origin', '*');
    forward({ request: (...asked) => session.request(...asked) }, request, response, () => {
      response.writeHead(502).end();
    });
  };
  const server = createHttp(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  for (let times = 0; times < 2; times++) await expect(ask(port, { path: '/envs' })).rejects.toThrow();
});
