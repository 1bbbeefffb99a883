import { EventEmitter, once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { writeNodeResponse } from '../../../src/hosts/node/node-response.js';

describe('an answer whose caller is gone', () => {
  test('is dropped without a word, also where that broke off its body', async () => {
    const broken = new ReadableStream({ start: (body) => body.error(new Error('the caller is gone')) });
    const gone = { destroyed: true } as ServerResponse;
    await expect(writeNodeResponse(new Response(broken), gone)).resolves.toBeUndefined();
  });

  test('is dropped without a word when its socket fails while it is written', async () => {
    const socket = Object.assign(new EventEmitter(), {
      destroyed: false,
      writeHead: () => undefined,
      cork: () => undefined,
      uncork: () => undefined,
      flushHeaders: () => undefined,
      end: () => undefined,
      write: () => {
        setImmediate(() => {
          socket.emit('error', new Error('EPIPE'));
          socket.destroyed = true;
          socket.emit('close');
        });
        return false;
      },
    });
    let isCancelled = false;
    const endless = new ReadableStream({
      pull: (body) => body.enqueue(new Uint8Array(10)),
      cancel: () => {
        isCancelled = true;
      },
    });
    await writeNodeResponse(new Response(endless), socket as unknown as ServerResponse);
    expect(isCancelled).toBe(true);
  });
});

describe('an answer', () => {
  /** What comes over the wire, piece by piece, to one request. */
  async function piecesOf(response: Response, enough: (pieces: string[]) => boolean): Promise<string[]> {
    const server = createServer((_request, to) => void writeNodeResponse(response, to)).listen(
      0,
      '127.0.0.1',
    );
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    const pieces: string[] = [];
    for await (const piece of socket) {
      pieces.push(String(piece));
      if (enough(pieces)) break;
    }
    socket.destroy();
    server.close();
    return pieces;
  }

  test('that is at hand is one piece, with its headers and its end', async () => {
    const pieces = await piecesOf(new Response('hello'), () => false);
    expect(pieces).toEqual([expect.stringMatching(/^HTTP\/1.1 200 .*\r\n5\r\nhello\r\n0\r\n\r\n$/s)]);
  });

  test('that breaks off ends after what came before', async () => {
    const pieces = ['hello'];
    const broken = new ReadableStream({
      pull(body) {
        const piece = pieces.shift();
        if (piece) body.enqueue(new TextEncoder().encode(piece));
        else body.error(new Error('broken'));
      },
    });
    const [first, ...more] = await piecesOf(new Response(broken), () => false);
    expect(first).toMatch(/^HTTP\/1.1 200 .*\r\n5\r\nhello\r\n$/s);
    expect(more).toEqual([]);
  });

  test('that is a stream has its headers before its first byte', async () => {
    const silent = new ReadableStream();
    const pieces = await piecesOf(new Response(silent), () => true);
    expect(pieces.join('')).toMatch(/^HTTP\/1.1 200 .*\r\n\r\n$/s);
  });
});
