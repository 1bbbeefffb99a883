import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import type { Defence } from './defence.mjs';

const { file, from, to, tests } = JSON.parse(process.env.DEFENCE ?? '{}') as Defence;

/** The unit tests of the broker with one defence taken out: in memory, so that no source is ever changed. */
export default defineConfig({
  plugins: [
    {
      name: 'without-a-defence',
      enforce: 'pre',
      transform(_code, id) {
        const [path = ''] = id.split('?');
        if (path !== fileURLToPath(new URL(`../../${file}`, import.meta.url))) return undefined;
        const source = readFileSync(path, 'utf8');
        if (source.split(from).length !== 2) throw new Error(`${file} has not exactly once: ${from}`);
        return { code: source.replace(from, () => to), map: null };
      },
    },
  ],
  test: { include: tests, testTimeout: 20_000, bail: 1 },
});
