import { describe, expect, test } from 'vitest';
import { upstreamError } from '../../../src/broker/upstream-error.js';

const answer = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers });
const unavailable = { code: 'upstream_unavailable', statusCode: 502 };
const causeOf = ({ cause }: Error) => (cause as Error).message;

describe('what a sandbox refuses', () => {
  test.each([
    [404, 'not_found'],
    [400, 'invalid_argument'],
    [500, 'internal'],
    [409, 'already_exists'],
    [429, 'resource_exhausted'],
  ])('with %i and the code %s of Connect keeps both, and its words', async (status, code) => {
    for (const of of ['rpc', 'file'] as const) {
      const error = await upstreamError(answer(status, { code, message: 'file not found: /x' }), of);
      expect(error).toMatchObject({ statusCode: status, code, message: 'file not found: /x' });
    }
  });

  test.each([
    [400, 'invalid_argument'],
    [404, 'file_not_found'],
    [406, 'not_acceptable'],
    [416, 'range_not_satisfiable'],
    [507, 'not_enough_space'],
  ])('of a file with %i has the code %s, and of a call none that is known', async (status, code) => {
    const body = { code: status, message: "path '/x' is odd" };
    expect(await upstreamError(answer(status, body), 'file')).toMatchObject({
      statusCode: status,
      code,
      message: body.message,
    });
    expect(await upstreamError(answer(status, body), 'rpc')).toMatchObject(unavailable);
  });

  test.each([
    ['a code that is none', { code: 'ok', message: 'odd words' }],
    ['no code', { message: 'odd words' }],
  ])('with %s is for the log alone', async (_name, body) => {
    const error = await upstreamError(answer(500, body), 'file');
    expect(error).toMatchObject(unavailable);
    expect(error.message).not.toContain('odd words');
    expect(causeOf(error)).toBe('HTTP 500: odd words');
  });

  test.each([
    ['nothing', ''],
    ['no JSON', '<html>'],
    ['a text', '"odd"'],
    ['null', 'null'],
    ['words that are none', { message: 7 }],
    ['more than is read of it', { message: 'x'.repeat(70_000) }],
  ])('with %s says the status', async (_name, body) => {
    const error = await upstreamError(answer(404, body), 'file');
    expect(error).toMatchObject({ statusCode: 404, code: 'file_not_found', message: 'HTTP 404' });
  });

  test('is told of in five hundred letters at most', async () => {
    const error = await upstreamError(answer(404, { message: 'x'.repeat(600) }), 'file');
    expect(error.message).toBe('x'.repeat(500));
  });

  test('because it knows the broker’s token no longer is nothing that a page could mend', async () => {
    const error = await upstreamError(answer(401, { code: 'unauthenticated', message: 'token' }), 'rpc');
    expect(error).toMatchObject(unavailable);
    expect(error.message).not.toContain('token');
    expect(causeOf(error)).toContain('token');
  });
});

describe('where no sandbox answers', () => {
  test('E2B’s edge says that it is gone', async () => {
    const body = { sandboxId: 'i1', message: 'The sandbox was not found', code: 502 };
    expect(await upstreamError(answer(502, body), 'file')).toMatchObject({
      code: 'sandbox_not_found',
      statusCode: 502,
    });
  });

  test.each([
    ['a port that nothing listens to', 502, { sandboxId: 'i1', port: 3000, message: 'closed' }],
    ['a proxy that failed', 502, { message: 'bad gateway' }],
    ['another failure of the edge', 500, { sandboxId: 'i1' }],
  ])('%s is not a sandbox that is gone', async (_name, status, body) => {
    expect(await upstreamError(answer(status, body), 'file')).toMatchObject(unavailable);
  });

  test.each([
    [429, 'rate_limited', 429],
    [409, 'service_busy', 503],
    [503, 'service_busy', 503],
  ])('by %i it can be asked again, when it says so', async (status, code, statusCode) => {
    const afterwards = await upstreamError(answer(status, {}, { 'retry-after': '120' }), 'file');
    expect(afterwards).toMatchObject({ code, statusCode, retryAfterMs: 120_000 });
    for (const odd of ['', 'soon', '1.5', '1s', '-1', '1234567', 'Mon, 23 Nov 2026 19:00:00 GMT']) {
      const error = await upstreamError(answer(status, {}, { 'retry-after': odd }), 'file');
      expect(error).toMatchObject({ code, statusCode });
      expect(error.retryAfterMs).toBeUndefined();
    }
    expect((await upstreamError(answer(status, {}), 'file')).retryAfterMs).toBeUndefined();
  });
});
