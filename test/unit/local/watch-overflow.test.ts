import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { afterEach, expect, test } from 'vitest';
import { EventQueue, maxWaiting } from '../../../src/local/envd/filesystem/watching/event-queue.js';
import { HeldEntries } from '../../../src/local/envd/filesystem/watching/held-entries.js';
import { KernelQueue } from '../../../src/local/envd/filesystem/watching/kernel-queue.js';
import { TreeWatcher } from '../../../src/local/envd/filesystem/watching/tree-watcher.js';
import { EventType, FilesystemEventSchema } from '../../../src/wire/gen/filesystem/filesystem_pb.js';
import { until } from './support/until.js';

const cleanups: (() => void)[] = [];

afterEach(() => {
  for (const cleanUp of cleanups.splice(0).reverse()) cleanUp();
});

async function watchNewDirectory(): Promise<{ root: string; told: Map<EventType, Set<string>> }> {
  const root = mkdtempSync(join(tmpdir(), 'watch-'));
  cleanups.push(() => rmSync(root, { recursive: true, force: true }));
  const told = new Map<EventType, Set<string>>();
  const watcher = await TreeWatcher.start(
    root,
    true,
    { queue: new KernelQueue(), held: new HeldEntries() },
    {
      happened: (events) => {
        for (const { name, type } of events) {
          told.set(type, (told.get(type) ?? new Set()).add(name));
        }
      },
      failed: (error) => {
        throw error;
      },
    },
  );
  cleanups.push(() => watcher.close());
  return { root, told };
}

test.skipIf(process.platform !== 'linux')('what the kernel had no room to tell is found', async () => {
  const capacity = Number(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8'));
  const { root, told } = await watchNewDirectory();
  // Nothing is read from the kernel meanwhile. A directory that is made here is told of in one event.
  const count = Math.ceil(capacity / 2) + 100;
  const script =
    'i=0; while [ $i -lt $1 ]; do : > f$i; echo x > f$i; i=$((i+1)); done; mkdir d; : > d/last; rm f0';
  execFileSync('/bin/sh', ['-c', script, 'sh', String(count)], { cwd: root });
  await until('the last file is told', () => told.get(EventType.CREATE)?.has('d/last') ?? false, 30_000);
  expect(told.get(EventType.CREATE)?.size).toBeGreaterThanOrEqual(count + 1);
  await until('the removed file is told', () => told.get(EventType.REMOVE)?.has('f0') ?? false, 30_000);
});

test('events that nobody reads end the watcher with an error', () => {
  const queue = new EventQueue();
  const event = create(FilesystemEventSchema, { name: 'f', type: EventType.CREATE });
  for (let i = 0; i < maxWaiting; i++) queue.push(event);
  expect(queue.drain()).toHaveLength(maxWaiting);
  for (let i = 0; i <= maxWaiting; i++) queue.push(event);
  for (let i = 0; i < 2; i++)
    expect(() => queue.drain()).toThrow(`more than ${maxWaiting} events were not read`);
});
