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
  const bad = [['a\0b'], ['half \ud83e'], [undefined], [null], [7]] as unknown as [string][];

  async function refused(calls: (files: Files) => (() => Promise<unknown>)[]): Promise<void> {
    let asked = 0;
    const files = await filesOf((_request, response) => {
      asked++;
      response.end();
    });
    for (const call of calls(files)) {
      await expect(call()).rejects.toMatchObject({
        name: 'InvalidArgumentError',
        message: expect.stringMatching(/^files\.\w+: .*[pP]ath.* a path/),
      });
    }
    expect(asked).toBe(0);
  }

  test.each(bad)('%j is refused everywhere', (path) =>
    refused((files) => [
      () => files.read(path),
      () => files.write(path, ''),
      () => files.write([{ path, data: '' }]),
      () => files.list(path),
      () => files.exists(path),
      () => files.getInfo(path),
      () => files.makeDir(path),
      () => files.remove(path),
      () => files.rename(path, 'a'),
      () => files.rename('a', path),
    ]),
  );

  // envd takes it for the working directory, and would remove or move that.
  test('that is empty is refused where something would change', () =>
    refused((files) => [
      () => files.read(''),
      () => files.write('', ''),
      () => files.makeDir(''),
      () => files.remove(''),
      () => files.rename('', 'a'),
      () => files.rename('a', ''),
    ]));
});

describe('an option', () => {
  const calls: [string, (files: Files, option: never) => Promise<unknown>, Record<string, unknown>[]][] = [
    [
      'files.read',
      (files, option) => files.read('f', option),
      [{ format: 'json' }, { gzip: 1 }, { streamIdleTimeoutMs: -1 }, { user: '' }],
    ],
    [
      'files.write',
      (files, option) => files.write('f', '', option),
      [
        { gzip: 'yes' },
        { useOctetStream: 'no' },
        { metadata: { a: 1 } },
        { metadata: ['a'] },
        { requestTimeoutMs: '5' },
      ],
    ],
    ['files.write', (files, option) => files.writeFiles([], option), [{ user: 7 }]],
    [
      'files.list',
      (files, option) => files.list('d', option),
      [{ depth: 0 }, { depth: 1.5 }, { depth: 2 ** 32 }],
    ],
    ['files.exists', (files, option) => files.exists('f', option), [{ user: null }]],
    ['files.getInfo', (files, option) => files.getInfo('f', option), [{ signal: {} }]],
    ['files.makeDir', (files, option) => files.makeDir('f', option), [{ requestTimeoutMs: Number.NaN }]],
    ['files.rename', (files, option) => files.rename('f', 'g', option), [{ user: [] }]],
    ['files.remove', (files, option) => files.remove('f', option), [{ user: {} }]],
  ];
  const cases = calls.flatMap(([name, call, options]) => options.map((option) => ({ name, call, option })));

  test.each(cases)('that cannot be meant is named: $name $option', async ({ name, call, option }) => {
    let asked = 0;
    const files = await filesOf((_request, response) => {
      asked++;
      response.end();
    });
    await expect(call(files, option as never)).rejects.toMatchObject({
      name: 'InvalidArgumentError',
      message: expect.stringContaining(`${name}: ${Object.keys(option)[0]} is `),
    });
    expect(asked).toBe(0);
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

  test('begins none when one of them is nothing to write', async () => {
    const files = await filesOf((_request, response) => response.end());
    const locked = new Blob(['x']).stream();
    locked.getReader();
    for (const data of [undefined, null, 7, {}, locked]) {
      await expect(
        files.write([{ path: 'good', data: '' }, { path: 'bad', data } as never]),
      ).rejects.toMatchObject({
        name: 'InvalidArgumentError',
        message: expect.stringContaining('the data of bad is '),
      });
    }
    await expect(files.write({ path: 'f', data: '' } as never)).rejects.toMatchObject({
      name: 'InvalidArgumentError',
    });
    await expect(files.write([null as never])).rejects.toMatchObject({ name: 'InvalidArgumentError' });
  });

  test('refuses the same path twice', async () => {
    const files = await filesOf((_request, response) => response.end());
    await expect(
      files.write([
        { path: 'a', data: '1' },
        { path: 'a', data: '2' },
      ]),
    ).rejects.toMatchObject({ name: 'InvalidArgumentError', message: 'files.write: a is there twice.' });
  });

  test.each([
    [{}, 'application/octet-stream', undefined],
    [{ useOctetStream: true }, 'application/octet-stream', undefined],
    [{ useOctetStream: false }, 'multipart/form-data', undefined],
    [{ useOctetStream: false, gzip: true }, 'application/octet-stream', 'gzip'],
  ])('with %j sends %s', async (options, type, encoding) => {
    let seen: IncomingMessage['headers'] = {};
    const files = await filesOf((request, response) => {
      seen = request.headers;
      request.resume().once('end', () => answerJson(response, 200, [{ name: 'f', path: '/f' }]));
    });
    for (const data of ['text', new Uint8Array(3), new Blob(['b']), new Blob(['c']).stream()]) {
      await files.write('f', data, options);
      expect(seen['content-type']).toContain(type);
      expect(seen['content-encoding']).toBe(encoding);
    }
  });

  test('sends an old envd a form, and nothing compressed', async () => {
    let seen: IncomingMessage['headers'] = {};
    let body = '';
    server = await serve(async (request, response) => {
      seen = request.headers;
      body = '';
      for await (const chunk of request) body += chunk;
      answerJson(response, 200, [{ name: 'f', path: '/f' }]);
    });
    const files = new Files(connectTo(server, 5_000, '0.5.6'));
    await files.write('f', 'the text', { gzip: true, useOctetStream: true });
    expect(seen['content-type']).toContain('multipart/form-data');
    expect(seen['content-encoding']).toBeUndefined();
    expect(body).toContain('the text');
    await expect(files.write('f', '', { metadata: { a: 'b' } })).rejects.toMatchObject({
      name: 'TemplateError',
      code: 'envd_too_old',
    });
    expect(await files.write('f', '', { metadata: {} })).toEqual({ name: 'f', path: '/f' });
  });

  test.each([{ schlüssel: 'a' }, { key: 'wört' }, { 'a b': 'c' }, { key: 'a\nb' }, { Key: 'a', key: 'b' }])(
    'refuses the metadata %j',
    async (metadata) => {
      const files = await filesOf((_request, response) => response.end());
      await expect(files.write('f', '', { metadata })).rejects.toMatchObject({
        name: 'InvalidArgumentError',
        message: expect.stringContaining('metadata'),
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
