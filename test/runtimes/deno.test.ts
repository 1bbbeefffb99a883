import { afterAll, beforeAll, inject } from 'vitest';
import { defineSuites } from './define.js';
import { denoArguments } from './deno-arguments.js';
import { type RuntimeProcess, startRuntime } from './runtime-process.js';

let deno: RuntimeProcess;

beforeAll(async () => {
  deno = await startRuntime('deno', [...denoArguments, 'test/runtimes/deno-entry.ts']);
});

afterAll(() => deno?.close());

defineSuites('deno', (id) => deno.run({ env: inject('stage'), id }));
