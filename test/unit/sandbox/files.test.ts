import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { Files } from '../../../src/sandbox/files.js';
import { connectTo } from '../support/fake-envd.js';
import { answerJson, serve, type TestServer } from '../support/serve.js';

let server: TestServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function filesOf(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  requestTimeoutMs?: number,
): Promise<Files> {
  server = await serve((request, response) => {
    if (request.url === '/health') response.writeHead(204).end();
    else answer(request, response);
  });
  return new Files(connectTo(server, requestTimeoutMs));
}

describe('a path', () => {
  // envd takes an empty one for the working directory, and would remove that.
  test.each([[''], ['a\0b'], [undefined as unknown as string]])('%j is refused everywhere', async (path) => {
    let calls = 0;
    const files = await filesOf((_request, response) => {
      calls++;
      response.end();
    });
    const refused = [
      () => files.read(path),
      () => files.write(path, ''),
      () => files.list(path),
      () => files.exists(path),
      () => files.getInfo(path),
      () => files.makeDir(path),
      () => files.remove(path),
      () => files.rename(path, 'a'),
      () => files.rename('a', path),
    ];
    for (const call of refused) await expect(call()).rejects.toMatchObject({ name: 'InvalidArgumentError' });
    expect(calls).toBe(0);
  });
});

describe('writing', () => {
  test('begins no other file after one has failed, and throws when none is under way', async () => {
    let underWay = 0;
    let begun = 0;
    const files = await filesOf((request, response) => {
      begun++;
      underWay++;
      const failing = request.url?.includes('bad') === true;
      setTimeout(
        () => {
          underWay--;
          if (failing) answerJson(response, 507, { code: 507, message: 'full' });
          else answerJson(response, 200, [{ name: 'f', path: '/f', type: 'file' }]);
        },
        failing ? 0 : 50,
      );
    });
    const entries = Array.from({ length: 20 }, (_, index) => ({
      path: index ? `f${index}` : 'bad',
      data: '',
    }));
    await expect(files.write(entries)).rejects.toMatchObject({ name: 'NotEnoughSpaceError' });
    expect([begun, underWay]).toEqual([6, 0]);
  });

  test.each([{ schlüssel: 'a' }, { key: 'wört' }, { 'a b': 'c' }, { key: 'a\nb' }])(
    'refuses the metadata %j',
    async (metadata) => {
      const files = await filesOf((_request, response) => response.end());
      await expect(files.write('f', '', { metadata })).rejects.toMatchObject({
        name: 'InvalidArgumentError',
        message: expect.stringContaining(Object.keys(metadata)[0] ?? ''),
      });
    },
  );

  test('does not blame the server for a stream that failed', async () => {
    const files = await filesOf((request) => void request.resume());
    const failure = new Error('the source broke');
    const source = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(failure) });
    await expect(files.write('f', source)).rejects.toMatchObject({
      name: 'ConnectionError',
      code: 'connection_lost',
      message: expect.stringContaining('stream failed'),
    });
  });

  test('takes the limit of the sandbox for its own', async () => {
    const answer = (_request: unknown, response: ServerResponse) => {
      setTimeout(() => answerJson(response, 200, [{ name: 'f', path: '/f' }]), 100);
    };
    expect(await (await filesOf(answer, 0)).write('f', 'x')).toEqual({ name: 'f', path: '/f' });
    await server?.close();
    await expect((await filesOf(answer, 10)).write('f', '')).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});

describe('reading', () => {
  test.each(['text', 'bytes', 'blob'] as const)('as %s does not wait for ever', async (format) => {
    const files = await filesOf((_request, response) => {
      response.writeHead(200, { 'content-length': 10 });
      response.write('12345');
    });
    await expect(files.read('f', { format, streamIdleTimeoutMs: 100 })).rejects.toMatchObject({
      name: 'TimeoutError',
      code: 'stream_idle',
    });
  });

  test.each(['text', 'bytes', 'blob', 'stream'] as const)(
    'as %s tells of a body that broke off',
    async (format) => {
      const files = await filesOf((_request, response) => {
        response.writeHead(200, { 'content-length': 10 });
        response.write('12345', () => response.destroy());
      });
      const read = async () => {
        const content = await files.read('f', { format });
        if (content instanceof ReadableStream) for await (const _piece of content);
      };
      await expect(read()).rejects.toMatchObject({ name: 'ConnectionError', code: 'connection_lost' });
    },
  );

  test('joins characters that were cut', async () => {
    const files = await filesOf((_request, response) => {
      const bytes = new TextEncoder().encode('grüße');
      response.write(bytes.subarray(0, 3), () => response.end(bytes.subarray(3)));
    });
    expect(await files.read('f')).toBe('grüße');
  });
});
