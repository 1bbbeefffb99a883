import { defineConfig } from 'vitest/config';

// A project of its own, because it needs a real envd beside it.
export default defineConfig({
  test: {
    // Says why a test was skipped.
    reporters: ['verbose'],
    include: ['test/differential/*.test.ts'],
    testTimeout: 900_000,
    hookTimeout: 120_000,
  },
});
