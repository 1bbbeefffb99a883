import { afterAll, beforeAll, inject } from 'vitest';
import { defineSuites } from './define.js';
import { type RuntimeProcess, startRuntime } from './runtime-process.js';

let bun: RuntimeProcess;

beforeAll(async () => {
  bun = await startRuntime('bun', ['run', '--no-install', 'test/runtimes/bun-entry.ts']);
});

afterAll(() => bun?.close());

defineSuites('bun', (id) => bun.run({ env: inject('stage'), id }));
