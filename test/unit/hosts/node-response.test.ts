import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
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
