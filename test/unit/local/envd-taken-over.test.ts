import { once } from 'node:events';
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  createServer,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { answerOf } from '../../../src/local/machine/envd-answer.js';
import { forward } from '../../../src/local/routing/envd-proxy.js';
import { ask } from './support/raw-http.js';

// Root in a sandbox can take envd's place, and then answer what it likes.

async function openEnvd(answer: (stream: ServerHttp2Stream) => void): Promise<ClientHttp2Session> {
  const envd = createServer().listen(0, '127.0.0.1');
  envd.on('stream', (stream) => {
    stream.on('error', () => {});
    answer(stream);
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
  const session = await openEnvd((stream) => stream.respond(headers, { endStream: true }));
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    response.setHeader('access-control-allow-origin', '*');
    const machine = {
      request: session.request.bind(session),
      cancel: (stream: ClientHttp2Stream) => stream.close(),
    };
    forward(machine, request, response, () => {
      response.writeHead(502).end();
    });
  };
  const server = createHttp(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  for (let times = 0; times < 2; times++) await expect(ask(port, { path: '/envs' })).rejects.toThrow();
});

test.each([
  ['none at all', 'envd does not answer', 200, () => {}],
  [
    'one that has no end',
    'the answer of envd has no end',
    60_000,
    (stream: ServerHttp2Stream) => {
      stream.respond({ ':status': 200 });
      const chunk = 'x'.repeat(1 << 16);
      const more = (): void => {
        while (stream.write(chunk));
        stream.once('drain', more);
      };
      more();
    },
  ],
  [
    'one that comes byte by byte',
    'envd does not answer',
    1000,
    (stream: ServerHttp2Stream) => {
      stream.respond({ ':status': 200 });
      const timer = setInterval(() => stream.write('x'), 10);
      stream.once('close', () => clearInterval(timer));
    },
  ],
])('the server waits for no answer for ever: %s', async (_name, reason, limitMs, answer) => {
  const session = await openEnvd(answer);
  await expect(answerOf(session.request({ ':path': '/health' }), limitMs)).rejects.toThrow(reason);
});
