import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createNodeBroker } from '../../../src/hosts/node/create-node-broker.js';

let server: Server;

beforeAll(async () => {
  const broker = createNodeBroker({
    apiKey: 'e2b_00',
    apiUrl: 'http://127.0.0.1:9',
    signingKeys: { current: 'a secret of more than thirty-two bytes' },
    origins: ['https://app.example'],
    basePath: '/api/sandbox',
    authorize: () => null,
  });
  server = createServer(broker.handleRequest);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

describe('the Node host', () => {
  function speak(lines: string): Promise<string> {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
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
