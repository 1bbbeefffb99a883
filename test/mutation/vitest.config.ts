import { defineConfig } from 'vitest/config';

/** What mutations of the broker are tried against: tests of the sources themselves, not of the build. */
export default defineConfig({
  test: { include: ['test/unit/broker/**/*.test.ts'], testTimeout: 20_000 },
});
