import { defineConfig } from 'vitest/config';

const stage = ['test/runtimes/stage-setup.ts'];

export default defineConfig({
  test: {
    // The smallest machine has two cores, and a worker waits for half of its time; servers and browsers run beside them.
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      project('unit', ['test/unit/**/*.test.ts', 'src/**/*.test.ts']),
      project('fuzz', ['test/fuzz/*.test.ts']),
      project('package', ['test/package/*.test.ts']),
      project('types', ['test/types/*.test.ts']),
      project('docs', ['test/docs/*.test.ts']),
      replaced('official-replaced', ['test/official/replaced/*.test.ts', 'test/compat/e2b.test.ts']),
      project('scenes', ['test/scenes/*.test.ts']),
      project('compat', ['test/compat/*.test.ts']),
      project('official', ['test/official/*.test.ts']),
      project('dispose', ['test/runtimes/dispose.test.ts']),
      project('suites-node', ['test/runtimes/node.test.ts'], stage),
      project('suites-deno', ['test/runtimes/deno.test.ts'], stage),
      project('suites-bun', ['test/runtimes/bun.test.ts'], stage),
      project('suites-workerd', ['test/runtimes/workerd.test.ts'], stage),
      project('suites-chromium', ['test/runtimes/chromium.test.ts'], stage),
      project('broker-node', ['test/broker/node.test.ts']),
      project('broker-deno', ['test/broker/deno.test.ts']),
      project('broker-bun', ['test/broker/bun.test.ts']),
      project('broker-workerd', ['test/broker/workerd.test.ts']),
      project('storm', ['test/faults/storm-*.test.ts']),
      serial('page', ['test/page/*.test.ts']),
      serial('faults', ['test/faults/!(storm-)*.test.ts']),
    ],
  },
});

function project(name: string, include: string[], globalSetup: string[] = []) {
  return { extends: true as const, test: { name, include, globalSetup } };
}

// Programs for the official package, with the import replaced.
function replaced(name: string, include: string[]) {
  return { extends: true as const, test: { name, include, alias: { e2b: 'e2b-edge' } } };
}

// What drives a whole page or cuts connections gets the machine for itself.
function serial(name: string, include: string[]) {
  return {
    extends: true as const,
    test: { name, include, fileParallelism: false, maxWorkers: 1, sequence: { groupOrder: 1 } },
  };
}
