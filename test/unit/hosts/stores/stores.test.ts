import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { Miniflare } from 'miniflare';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../../src/broker/stores/memory-store.js';
import { createKvStore } from '../../../../src/hosts/cloudflare/kv-store.js';
import { createDurableObjectStore } from '../../../../src/hosts/cloudflare/session-store-object.js';
import { createDenoKvStore } from '../../../../src/hosts/deno/deno-kv-store.js';
import { runStoreSuite, type StoreResult } from './store-suite.js';

const deno = fileURLToPath(new URL('../../../../node_modules/.bin/deno', import.meta.url));
const atomic = 8;
const revocationAlone = 4;

async function bundled(program: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(program, import.meta.url))],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    write: false,
  });
  return outputFiles[0]?.text ?? '';
}

function expectAll(results: StoreResult[], count: number): void {
  expect(results.filter(({ error }) => error !== undefined)).toEqual([]);
  expect(results).toHaveLength(count);
}

test('a store in memory keeps its word', async () => {
  expectAll(await runStoreSuite(createMemoryStore()), atomic);
});

test('the suite notices a store that compares and sets in two steps', async () => {
  const memory = createMemoryStore();
  const results = await runStoreSuite({
    ...memory,
    async compareAndSet(key, expected, value, expiresAt) {
      if ((await memory.get(key)) !== expected) return false;
      memory.set(key, value, expiresAt);
      return true;
    },
  });
  expect(results.filter(({ error }) => error).map(({ name }) => name)).toEqual([
    'lets exactly one of 100 at once win',
    'loses no count of 20 that count at once',
  ]);
});

describe('in workerd', () => {
  let worker: Miniflare;

  beforeAll(async () => {
    worker = new Miniflare({
      modules: true,
      script: await bundled('./worker-program.ts'),
      compatibilityDate: '2026-04-20',
      durableObjects: { SESSION_STORE: { className: 'InspectedStoreObject', useSQLite: true } },
      kvNamespaces: ['REVOKED'],
    });
  });
  afterAll(() => worker.dispose());

  const ask = async (path: string): Promise<unknown> => {
    const response = await worker.dispatchFetch(`http://worker${path}`);
    return response.status === 204 ? undefined : response.json();
  };

  test('a store of Durable Objects keeps its word', async () => {
    expectAll((await ask('/durable-object')) as StoreResult[], atomic);
  });

  test('an object is empty again once its value has run out', async () => {
    await ask('/set?ttl=60000');
    expect(await ask('/size')).toBe(1);
    await ask('/set?ttl=100');
    await expect.poll(() => ask('/size'), { timeout: 30_000 }).toBe(0);
  });

  test('a store in KV keeps its word, as far as KV goes', async () => {
    expectAll((await ask('/kv')) as StoreResult[], revocationAlone);
  });
});

test('a store in Deno KV keeps its word', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'deno-kv-'));
  try {
    await writeFile(join(folder, 'program.mjs'), await bundled('./deno-program.ts'));
    const { stdout } = await promisify(execFile)(
      deno,
      ['run', '--unstable-kv', '--no-remote', '--no-prompt', '-A', 'program.mjs', join(folder, 'kv.sqlite')],
      { cwd: folder },
    );
    expectAll(JSON.parse(stdout) as StoreResult[], atomic);
  } finally {
    await rm(folder, { recursive: true });
  }
});

describe('what is not bound', () => {
  test.each([
    ['createDurableObjectStore', createDurableObjectStore],
    ['createKvStore', createKvStore],
    ['createDenoKvStore', createDenoKvStore],
  ])('is refused by %s, which says what it wants', (name, create) => {
    for (const wrong of [undefined, null, {}, Promise.resolve({})]) {
      expect(() => create(wrong as never)).toThrow(expect.objectContaining({ code: 'invalid_option' }));
      expect(() => create(wrong as never)).toThrow(name);
    }
  });
});
