import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { CreationKeys } from '../../../src/local/control/creation-keys.js';
import type { LocalServer } from '../../../src/local/local-server.js';
import { api, type Created, startServer } from './support/server.js';

let server: LocalServer;

beforeAll(async () => {
  server = await startServer({ isolation: 'none' });
});

function create(key: string, fields: object = {}, path = '/v2/sandboxes'): Promise<Response> {
  return fetch(server.apiUrl + path, {
    method: 'POST',
    headers: {
      'x-api-key': server.apiKey,
      'content-type': 'application/json',
      'idempotency-key': key,
    },
    body: JSON.stringify({ templateID: 'base', ...fields }),
  });
}

async function made(response: Promise<Response>): Promise<Created> {
  const { status, body } = await response.then(async (one) => ({
    status: one.status,
    body: await one.json(),
  }));
  expect({ status, body }).toMatchObject({ status: 201 });
  return body as Created;
}

async function marked(mark: string): Promise<string[]> {
  const query = new URLSearchParams({ metadata: new URLSearchParams({ mark }).toString() });
  const found = await api(server, 'GET', `/v2/sandboxes?${query}`);
  return ((await found.json()) as Created[]).map(({ sandboxID }) => sandboxID);
}

describe('a key', () => {
  test('used fifty times at once makes one sandbox, whose token all are given', async () => {
    const fields = { metadata: { mark: 'fifty' } };
    const all = await Promise.all(Array.from({ length: 50 }, () => made(create('fifty', fields))));
    expect(new Set(all.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(await marked('fifty')).toEqual([all[0]?.sandboxID]);
    expect(await made(create('fifty', fields))).toEqual(all[0]);
  });

  test.each(['/sandboxes', '/v2/sandboxes'])('works at %s, however the body is written', async (path) => {
    const key = `at${path.replaceAll('/', '-')}`;
    const first = await made(create(key, { metadata: { a: '1', b: '2' }, timeout: 60 }, path));
    const again = await made(create(key, { timeout: 60, metadata: { b: '2', a: '1' }, unknown: 1 }, path));
    expect(again.sandboxID).toBe(first.sandboxID);
  });

  test('is refused for another request, and for the same at the other path', async () => {
    await made(create('taken', { timeout: 60 }));
    for (const other of [create('taken', { timeout: 61 }), create('taken', { timeout: 60 }, '/sandboxes')]) {
      const response = await other;
      expect(response.status).toBe(409);
      expect(await response.json()).toEqual({
        code: 409,
        message: expect.stringContaining('Idempotency-Key'),
        error_code: 'idempotency_request_mismatch',
      });
    }
  });

  test('makes no second sandbox once the first one has ended', async () => {
    const fields = { metadata: { mark: 'ended' } };
    const first = await made(create('ended', fields));
    await api(server, 'DELETE', `/sandboxes/${first.sandboxID}`);
    expect(await made(create('ended', fields))).toEqual(first);
    expect(await marked('ended')).toEqual([]);
  });

  test('is free again when the creation failed, for all that waited for it', async () => {
    const failed = await Promise.all(
      Array.from({ length: 3 }, () => create('failed', { templateID: 'missing' })),
    );
    expect(failed.map(({ status }) => status)).toEqual([404, 404, 404]);
    await made(create('failed'));
  });

  test.each(['', 'Upper', 'a b', 'a_b', 'x'.repeat(256), 'one, two'])('%j is refused', async (key) => {
    const response = await create(key);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ message: expect.stringContaining('Idempotency-Key') });
  });
});

describe('keys are kept', () => {
  afterEach(() => void vi.useRealTimers());

  let creations = 0;
  const count = (keys: CreationKeys<number>, key: string): Promise<number> =>
    keys.answer(key, 'same', async () => {
      creations++;
      return creations;
    });

  test('for a day', async () => {
    vi.useFakeTimers({ now: 0 });
    const keys = new CreationKeys<number>();
    const first = await count(keys, 'a');
    vi.setSystemTime(86_399_999);
    expect(await count(keys, 'a')).toBe(first);
    vi.setSystemTime(86_400_000);
    expect(await count(keys, 'a')).toBe(first + 1);
  });

  test('up to ten thousand, of which the oldest goes first', async () => {
    const keys = new CreationKeys<number>();
    const first = await count(keys, 'k-0');
    for (let i = 1; i < 10_000; i++) await count(keys, `k-${i}`);
    expect(await count(keys, 'k-0')).toBe(first);
    await count(keys, 'k-10000');
    expect(await count(keys, 'k-1')).toBe(first + 1);
    expect(await count(keys, 'k-0')).not.toBe(first);
  });
});
