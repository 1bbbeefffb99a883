import { afterAll, beforeAll, inject } from 'vitest';
import { defineSuites } from './define.js';
import { type RuntimeProcess, startRuntime } from './runtime-process.js';

let deno: RuntimeProcess;

beforeAll(async () => {
  deno = await startRuntime('deno', [
    'run',
    '--no-remote',
    '--cached-only',
    '--node-modules-dir=manual',
    '--no-lock',
    '--no-prompt',
    // The cases are imported with the endings that they have once compiled, as TypeScript wants it.
    '--unstable-sloppy-imports',
    '--allow-net=127.0.0.1,localhost',
    '--allow-env=E2B_*',
    'test/runtimes/deno-entry.ts',
  ]);
});

afterAll(() => deno?.close());

defineSuites('deno', (id) => deno.run({ env: inject('stage'), id }));
