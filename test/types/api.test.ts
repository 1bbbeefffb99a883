import {
  type CommandHandle,
  type CommandResult,
  createClient,
  createSandboxPool,
  type EntryInfo,
  mapConcurrent,
  type PtyHandle,
  type RunningCommand,
  Sandbox,
  type SandboxInfo,
  type WatchHandle,
  type WriteInfo,
} from 'e2b-edge';
import { Sandbox as PageSandbox } from 'e2b-edge/browser';
import { expectTypeOf, test } from 'vitest';

declare const sandbox: Sandbox;

test('a command gives its result, or its handle when it is in the background', () => {
  const run = () => sandbox.commands.run('true');
  const background = () => sandbox.commands.run('true', { background: true });
  const either = (background: boolean) => sandbox.commands.run('true', { background });
  expectTypeOf<ReturnType<typeof run>>().resolves.toEqualTypeOf<CommandResult>();
  expectTypeOf<ReturnType<typeof background>>().resolves.toEqualTypeOf<RunningCommand>();
  expectTypeOf<ReturnType<typeof either>>().resolves.toEqualTypeOf<CommandResult | RunningCommand>();
});

test('a terminal is a handle as a command is', () => {
  expectTypeOf<RunningCommand>().toExtend<CommandHandle>();
  expectTypeOf<PtyHandle>().toExtend<CommandHandle>();
  expectTypeOf<Sandbox['pty']['create']>().returns.resolves.toEqualTypeOf<PtyHandle>();
});

test('a file is read as what was asked for', () => {
  const text = () => sandbox.files.read('a');
  const bytes = () => sandbox.files.read('a', { format: 'bytes' });
  const blob = () => sandbox.files.read('a', { format: 'blob' });
  const stream = () => sandbox.files.read('a', { format: 'stream' });
  expectTypeOf<ReturnType<typeof text>>().resolves.toEqualTypeOf<string>();
  expectTypeOf<ReturnType<typeof bytes>>().resolves.toEqualTypeOf<Uint8Array>();
  expectTypeOf<ReturnType<typeof blob>>().resolves.toEqualTypeOf<Blob>();
  expectTypeOf<ReturnType<typeof stream>>().resolves.toEqualTypeOf<ReadableStream<Uint8Array>>();
});

test('one file written gives one answer, several give several', () => {
  const one = () => sandbox.files.write('a', '');
  const several = () => sandbox.files.write([{ path: 'a', data: '' }]);
  expectTypeOf<ReturnType<typeof one>>().resolves.toEqualTypeOf<WriteInfo>();
  expectTypeOf<ReturnType<typeof several>>().resolves.toEqualTypeOf<WriteInfo[]>();
  expectTypeOf<Sandbox['files']['list']>().returns.resolves.toEqualTypeOf<EntryInfo[]>();
});

test('a watch is given a callback, or is read by a loop', () => {
  const called = () => sandbox.files.watchDir('a', () => undefined);
  const looped = () => sandbox.files.watchDir('a');
  expectTypeOf<ReturnType<typeof called>>().resolves.toExtend<WatchHandle>();
  expectTypeOf<ReturnType<typeof looped>>().resolves.toExtend<AsyncIterable<unknown>>();
});

test('what makes a sandbox gives one of its own class', () => {
  class Mine extends Sandbox {
    readonly mine = true;
  }
  const create = () => Mine.create();
  const fork = () => sandbox.fork();
  expectTypeOf<ReturnType<typeof create>>().resolves.toEqualTypeOf<Mine>();
  expectTypeOf<ReturnType<typeof fork>>().resolves.toExtend<(Sandbox | Error)[]>();
  expectTypeOf<Sandbox['getInfo']>().returns.resolves.toEqualTypeOf<SandboxInfo>();
  expectTypeOf<Sandbox>().toExtend<PageSandbox>();
});

test('options that are wrong do not compile', () => {
  // @ts-expect-error: a number of milliseconds.
  expectTypeOf(() => sandbox.commands.run('true', { timeoutMs: '60' })).toBeFunction();
  // @ts-expect-error: timeoutMs.
  expectTypeOf(() => Sandbox.create({ timeout: 60 })).toBeFunction();
  // @ts-expect-error: no such format.
  expectTypeOf(() => sandbox.files.read('a', { format: 'json' })).toBeFunction();
  // @ts-expect-error: a page has a session, no key.
  expectTypeOf(() => PageSandbox.connect({ apiKey: 'e2b_' })).toBeFunction();
});

test('pools and batches keep the types of what goes through them', () => {
  const pool = () => createSandboxPool({ create: () => Sandbox.create() }).acquire();
  const batch = () => mapConcurrent(['a'], { concurrency: 2 }, async (text) => text.length);
  expectTypeOf<Awaited<ReturnType<typeof pool>>['sandbox']>().toEqualTypeOf<Sandbox>();
  expectTypeOf<ReturnType<typeof batch>>().resolves.toEqualTypeOf<number[]>();
  expectTypeOf(createClient({}).Sandbox).toExtend<typeof Sandbox>();
});
