/**
 * The tests of the official package's methods, with the import replaced: `vitest.config.ts` gives `e2b-edge` to whoever
 * imports `e2b` here. `test/types/replaced.test.ts` compiles them that way too.
 */

import { Sandbox } from 'e2b';
import { Sandbox as Ours } from 'e2b-edge';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commandsMethods } from '../js/commands.js';
import { filesMethods } from '../js/files.js';
import { sandboxMethods } from '../js/sandbox.js';
import { openStage, type Stage } from '../js/stage.js';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
});

afterAll(() => stage.sandbox.kill());

test('the import is replaced', () => {
  expect(Sandbox).toBe(Ours);
});

sandboxMethods(() => stage);
filesMethods(() => stage);
commandsMethods(() => stage);
