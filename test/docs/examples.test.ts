import { type LocalServer, startLocalServer } from 'e2b-edge/local';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleExample } from './bundle-example.js';
import { type CompiledExample, compileExamples } from './compile-examples.js';
import { nameOf } from './example.js';
import { createNodeRunner } from './node-runner.js';
import { createPageRunner } from './page-runner.js';
import type { Runners } from './places.js';
import { readExamples } from './read-examples.js';
import { createWorkerRunner } from './worker-runner.js';

const examples = readExamples();
let compiled: CompiledExample[];
let local: LocalServer;
let runners: Runners;

beforeAll(async () => {
  compiled = compileExamples(examples);
  local = await startLocalServer();
  runners = {
    node: createNodeRunner(local),
    page: await createPageRunner(local),
    worker: createWorkerRunner(),
  };
});

afterAll(async () => {
  for (const runner of Object.values(runners ?? {})) await runner.close();
  await local?.close();
});

describe('the examples of the documentation', () => {
  for (const [index, example] of examples.entries()) {
    describe(nameOf(example), () => {
      test('compiles', () => {
        expect(compiled[index]?.problems).toEqual([]);
      });
      if (example.notRun !== undefined) return;
      test(example.throws === undefined ? 'runs' : `ends with ${example.throws}`, async () => {
        const code = await bundleExample(compiled[index]!);
        const { error, output } = await runners[example.place].run(code);
        expect(error, output).toBe(example.throws);
      });
    });
  }
});
