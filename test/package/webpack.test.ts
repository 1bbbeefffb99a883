/** What a page's or a Worker's program becomes with webpack 5, which gives no polyfill for what only Node has. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import webpack, { type Stats } from 'webpack';
import { readWeights } from '../../scripts/check-sizes.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
// Inside the package, so that it is found by its name.
const results = join(root, 'test-results');
let folder: string;

beforeAll(() => {
  mkdirSync(results, { recursive: true });
  folder = mkdtempSync(join(results, 'webpack-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

describe('bundled by webpack, without a polyfill', () => {
  for (const [index, { what, code, external = [], forbidden }] of readWeights().entries()) {
    test(what, async () => {
      const entry = join(folder, `${index}.mjs`);
      writeFileSync(entry, code);
      const { errors, warnings } = (await bundle(entry, external)).toJson({ errors: true, warnings: true });
      expect(errors?.map(({ message }) => message)).toEqual([]);
      expect(warnings?.map(({ message }) => message)).toEqual([]);
      const bundled = readFileSync(join(folder, `${index}.js`), 'utf8');
      expect(forbidden.filter((text) => bundled.toLowerCase().includes(text))).toEqual([]);
    });
  }
});

function bundle(entry: string, external: readonly string[]): Promise<Stats> {
  const compiler = webpack({
    mode: 'production',
    target: ['web', 'es2022'],
    context: root,
    entry,
    // Weights are taken elsewhere; this is about what is found, and in the bundle.
    performance: false,
    experiments: { outputModule: true },
    externalsType: 'module',
    externals: external.map((pattern) => new RegExp(`^${pattern.replace('*', '.*')}$`)),
    output: { path: folder, filename: entry.replace(/.*\/(\d+)\.mjs$/, '$1.js'), module: true },
  });
  return new Promise((resolve, reject) => {
    compiler.run((error, stats) => {
      compiler.close(() => undefined);
      if (error || !stats) reject(error);
      else resolve(stats);
    });
  });
}
