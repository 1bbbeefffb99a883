import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BrokerEvent } from '../../../src/broker/broker-event.js';
import { createNodeBroker, type NodeBroker } from '../../../src/hosts/node/create-node-broker.js';

let server: Server;
let broker: NodeBroker;
const events: BrokerEvent[] = [];

beforeAll(async () => {
  broker = createNodeBroker({
    apiKey: 'e2b_00',
    apiUrl: 'http://127.0.0.1:9',
    signingKeys: { current: 'a secret of more than thirty-two bytes' },
    origins: ['https://app.example'],
    basePath: '/api/sandbox',
    authorize: () => null,
    logger: (event) => events.push(event),
  });
  server = createServer(broker.handleRequest).on('upgrade', broker.handleUpgrade);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterAll(async () => {
  broker.close();
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

  const key = 'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
  const version = 'sec-websocket-version: 13\r\n';

  test.each([
    ['no key', version],
    ['a key that is none', `sec-websocket-key: short\r\n${version}`],
    ['no version', key],
    ['an old version', `${key}sec-websocket-version: 7\r\n`],
  ])('refuses a WebSocket with %s, and the log says so', async (_name, lines) => {
    const head = `GET /api/sandbox/pty/i1 HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n`;
    const protocol = 'sec-websocket-protocol: e2b-edge.pty.v1\r\norigin: https://app.example\r\n';
    events.length = 0;
    const answer = await speak(`${head}${protocol}${lines}\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(answer).toContain('"code":"invalid_argument"');
    expect(events).toEqual([
      expect.objectContaining({ action: 'pty', outcome: 'refused', status: 400, code: 'invalid_argument' }),
    ]);
  });
});
