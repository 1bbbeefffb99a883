import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { describeHost } from '../../../src/local/machine/host-report.js';
import { bundledEnvd } from './support/server.js';

test('the report says what there is, why not more, and how to get it', async () => {
  const before = readdirSync(tmpdir()).filter((name) => name.includes(`-${process.pid}-`));
  const { isolation, items } = await describeHost(await bundledEnvd());
  expect(isolation).toBe('bubblewrap');
  expect(items.map(({ name }) => name)).toEqual([
    'bubblewrap',
    'namespaces',
    'users',
    'limits',
    'freezer',
    'layered files',
    'internet',
    'terminals',
    'file metadata',
  ]);
  for (const { detail, ok, advice } of items) {
    expect(detail).toBeTruthy();
    if (!ok) expect(advice).toBeTruthy();
  }
  expect(readdirSync(tmpdir()).filter((name) => name.includes(`-${process.pid}-`))).toEqual(before);
});

test('where nothing works, that is said as well', async () => {
  const { isolation, items } = await describeHost('/no/such/envd.mjs');
  expect(isolation).toBe('none');
  expect(items.find(({ name }) => name === 'namespaces')).toMatchObject({
    ok: false,
    detail: expect.stringContaining('/no/such/envd.mjs'),
  });
  // Its own advice would do nothing for what isolation brings.
  for (const name of ['users', 'limits', 'freezer', 'layered files']) {
    expect(items).toContainEqual({
      name,
      ok: false,
      detail: 'none without isolation',
      advice: 'as for `namespaces`',
    });
  }
  for (const { detail } of items) expect(detail).not.toContain('\n');
});
