import { Sandbox } from 'e2b';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CalledMethods } from './called-methods.js';
import { commandsMethods } from './js/commands.js';
import { filesMethods } from './js/files.js';
import { sandboxMethods } from './js/sandbox.js';
import { openStage, type Stage } from './js/stage.js';

/** What `E2B` itself marks as internal, or calls only inside. */
const internal = new Set([
  'Sandbox.resolveApiOpts',
  'Sandbox.fileUrl',
  'Sandbox.(static) createSandbox',
  'Sandbox.(static) forkSandbox',
  'Sandbox.(static) connectSandbox',
]);

const calls = new CalledMethods();
let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
  const { files, commands, pty } = stage.sandbox;
  const command = await commands.run('true', { background: true });
  const watch = await files.watchDir('/tmp', () => {});
  calls.watch('CommandHandle', Object.getPrototypeOf(command));
  calls.watch('WatchHandle', Object.getPrototypeOf(watch));
  calls.watch('Sandbox', Sandbox.prototype);
  calls.watch('Sandbox.(static)', Sandbox);
  calls.watch('files', Object.getPrototypeOf(files));
  calls.watch('commands', Object.getPrototypeOf(commands));
  calls.watch('pty', Object.getPrototypeOf(pty));
});

afterAll(() => stage.sandbox.kill());

sandboxMethods(() => stage);
filesMethods(() => stage);
commandsMethods(() => stage);

test('no method of the SDK was left out', () => {
  expect(calls.missed().filter((name) => !internal.has(name))).toEqual([]);
});
