import { describe, expect, test } from 'vitest';
import { discard, readAnswer, readBody } from '../../../src/broker/read-body.js';
import { checkField, readJson } from '../../../src/broker/read-json.js';
import { text } from '../../../src/transport/check-options.js';

/** A body of pieces, which breaks off at its end where an error is given. */
function bodyOf(pieces: (string | Uint8Array)[], error?: Error) {
  const left = [...pieces];
  const source = { cancelled: false };
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const piece = left.shift();
        if (piece !== undefined)
          controller.enqueue(typeof piece === 'string' ? new TextEncoder().encode(piece) : piece);
        else if (error) controller.error(error);
        else controller.close();
      },
      cancel() {
        source.cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, source };
}

const post = (body: BodyInit | undefined, headers: Record<string, string> = {}) =>
  new Request('https://any.test/', { method: 'POST', headers, body, duplex: 'half' } as RequestInit);
const tooLarge = { code: 'body_too_large', statusCode: 413 };
const failed = { code: 'upstream_unavailable', statusCode: 502 };

describe('a page’s body', () => {
  test('is read whole, however it comes, up to its limit', async () => {
    const { stream } = bodyOf(['ab', '', 'c', 'def']);
    expect(new TextDecoder().decode(await readBody(post(stream), 6))).toBe('abcdef');
    expect(await readBody(post(undefined), 0)).toEqual(new Uint8Array());
    expect(await readBody(post('abc', { 'content-length': '3' }), 3)).toHaveLength(3);
  });

  test('that is longer is refused, and its rest is not asked for', async () => {
    const { stream, source } = bodyOf(['abc', 'def', 'ghi']);
    await expect(readBody(post(stream), 5)).rejects.toMatchObject(tooLarge);
    expect(source.cancelled).toBe(true);
  });

  test('that says that it is longer is not begun', async () => {
    const { stream, source } = bodyOf(['abc']);
    const request = post(stream, { 'content-length': '4' });
    await expect(readBody(request, 3)).rejects.toMatchObject(tooLarge);
    expect(request.bodyUsed).toBe(false);
    expect(source.cancelled).toBe(false);
  });

  test('that breaks off is the page’s, and no failure of the broker', async () => {
    const { stream } = bodyOf(['abc'], new Error('reset'));
    await expect(readBody(post(stream), 10)).rejects.toMatchObject({ code: 'canceled', statusCode: 499 });
  });
});

describe('a sandbox’s answer', () => {
  test('is read whole', async () => {
    expect(await readAnswer(new Response('abc'), 3)).toEqual(new TextEncoder().encode('abc'));
    expect(await readAnswer(new Response(null), 3)).toEqual(new Uint8Array());
  });

  test('that is too long or breaks off is an upstream that failed', async () => {
    await expect(readAnswer(new Response('abcd'), 3)).rejects.toMatchObject(failed);
    const { stream } = bodyOf(['abc'], new Error('reset'));
    await expect(readAnswer(new Response(stream), 10)).rejects.toMatchObject(failed);
  });

  test('that is not read is let go of, and may have broken off before that', async () => {
    const { stream, source } = bodyOf(['abc']);
    await discard(new Response(stream));
    expect(source.cancelled).toBe(true);
    const broken = bodyOf([], new Error('reset')).stream;
    await broken
      .getReader()
      .read()
      .catch(() => undefined);
    await discard({ body: broken } as Response);
    await discard(new Response(null));
  });
});

describe('a page’s JSON', () => {
  const json = (body: BodyInit | undefined, type = 'application/json') =>
    readJson(post(body, { 'content-type': type }));

  test('is an object, empty for an empty body', async () => {
    expect(await json('{"a":1}')).toEqual({ a: 1 });
    expect(await json(undefined)).toEqual({});
    expect(await json('{"a":1}', ' Application/JSON ; charset=utf-8')).toEqual({ a: 1 });
  });

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'text/plain; application/json',
    'application/jsonx',
  ])('is not what another site’s form can send: %s', async (type) => {
    await expect(json('{}', type)).rejects.toMatchObject({ code: 'unsupported_media_type', statusCode: 415 });
  });

  test('without a content type is refused', async () => {
    const request = post(new TextEncoder().encode('{}'));
    expect(request.headers.has('content-type')).toBe(false);
    await expect(readJson(request)).rejects.toMatchObject({ code: 'unsupported_media_type' });
  });

  test.each(['{', '[]', 'null', '"text"', '1', ' '])('%j is refused', async (body) => {
    await expect(json(body)).rejects.toMatchObject({ code: 'invalid_argument', statusCode: 400 });
  });

  test('that breaks off in the middle is told from what is no object', async () => {
    await expect(json('{')).rejects.toThrow('is not JSON');
    await expect(json('[]')).rejects.toThrow('not a JSON object');
  });

  test('has at most 64 KiB', async () => {
    const filled = (bytes: number) => `{"a":"${'x'.repeat(bytes - 8)}"}`;
    await json(filled(64 * 1024));
    await expect(json(filled(64 * 1024 + 1))).rejects.toMatchObject(tooLarge);
  });
});

describe('a field', () => {
  test('that breaks its rule is the page’s mistake, by its name', () => {
    checkField('path', '/x', text);
    expect(() => checkField('path', 1, text)).toThrow(
      expect.objectContaining({
        code: 'invalid_argument',
        statusCode: 400,
        message: expect.stringContaining('path is 1'),
      }),
    );
  });

  test('whose rule itself fails is not', () => {
    const failure = new TypeError('a fault of ours');
    const rule = () => {
      throw failure;
    };
    expect(() => checkField('path', '/x', ['anything', rule])).toThrow(failure);
  });
});
