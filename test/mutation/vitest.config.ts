import { defineConfig } from 'vitest/config';

const { TESTS } = process.env;
const names = TESTS?.split(' ') ?? ['**/*'];

/**
 * What mutations of the broker are tried against: tests of the sources themselves, not of the build. `TESTS='passage rpc'`
 * takes these files alone, which is faster; what survives them may be noticed by others.
 */
export default defineConfig({
  test: { include: names.map((name) => `test/unit/broker/${name}.test.ts`), testTimeout: 20_000 },
});
