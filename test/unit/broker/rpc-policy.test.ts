import { describe, expect, test, vi } from 'vitest';
import type { Upstream } from '../../../src/broker/envd-upstream.js';
import { parseGrant } from '../../../src/broker/grant.js';
import { createProcessGuard } from '../../../src/broker/process-guard.js';
import { exactKind, type ProcessKind, processTag } from '../../../src/broker/process-mark.js';
import { type CallContext, rpcPolicy } from '../../../src/broker/rpc-policy.js';
import {
  listStrictly,
  makeDirStrictly,
  moveStrictly,
  removeStrictly,
  statStrictly,
} from '../../../src/broker/strict/directories.js';
import type { Grant } from '../../../src/wire/session.js';

function contextOf(grant: Grant, kind?: ProcessKind) {
  const check = vi.fn(
    async (_upstream: unknown, _grant: unknown, path: string, _access: unknown) => `/real${path}`,
  );
  const kindOf = vi.fn(async () => kind);
  const lastKindOf = vi.fn(async () => kind);
  const context: CallContext = {
    claims: { sub: 'ann', sid: 's1', sbx: 'i1', auth_time: 0, g: parseGrant(grant) },
    upstream: { sandboxId: 'i1', user: undefined } as Upstream,
    processes: { ...createProcessGuard(), kindOf, lastKindOf },
    files: { check, realPath: async (_upstream: unknown, path: string) => path } as never,
  };
  return { context, check, kindOf, lastKindOf };
}

function admit(path: string, message: object, context: CallContext): Promise<void> {
  return rpcPolicy(path)?.admit(message, context) ?? Promise.reject(new Error('not routed'));
}

const denied = { code: 'permission_denied' };

describe('a procedure of files', () => {
  const read = { ops: ['read'], follows: true };
  const readLink = { ops: ['read'], follows: false };
  const write = { ops: ['write'], follows: true };
  const writeLink = { ops: ['write'], follows: false };

  test.each([
    ['Stat', readLink, statStrictly],
    ['ListDir', read, listStrictly],
    ['WatchDir', read, undefined],
    ['MakeDir', write, makeDirStrictly],
    // A link that is removed is not what it leads to.
    ['Remove', writeLink, removeStrictly],
  ])('%s goes to the path that was looked at, and to no other', async (name, access, strict) => {
    const { context, check } = contextOf({});
    const message = { path: '/a' };
    await admit(`filesystem.Filesystem/${name}`, message, context);
    expect(check.mock.calls).toEqual([[context.upstream, context.claims.g, '/a', access]]);
    expect(message).toEqual({ path: '/real/a' });
    expect(rpcPolicy(`filesystem.Filesystem/${name}`)?.strict).toBe(strict);
  });

  test('that moves is looked at on both ends, and what it takes away as what is read', async () => {
    const { context, check } = contextOf({});
    const message = { source: '/a', destination: '/b' };
    await admit('filesystem.Filesystem/Move', message, context);
    expect(check.mock.calls.map(([, , path, access]) => [path, access])).toEqual([
      ['/a', { ops: ['read', 'write'], follows: false }],
      ['/b', writeLink],
    ]);
    expect(message).toEqual({ source: '/real/a', destination: '/real/b' });
    expect(rpcPolicy('filesystem.Filesystem/Move')?.strict).toBe(moveStrictly);
  });

  test('that watches is none of strict mode', async () => {
    const { context, check } = contextOf({
      strict: true,
      user: 'user',
      files: [{ op: 'read', prefix: '/' }],
    });
    await expect(admit('filesystem.Filesystem/WatchDir', { path: '/a' }, context)).rejects.toThrow('strict');
    expect(check).not.toHaveBeenCalled();
  });
});

describe('a procedure of processes', () => {
  const at = (pid: number) => ({ process: { selector: { case: 'pid', value: pid } } });

  test.each([
    ['Connect', 'watch'],
    ['Update', 'control'],
    ['SendSignal', 'control'],
    ['SendInput', 'type'],
    ['CloseStdin', 'type'],
  ])('%s takes that the process may be used to %s', async (name, use) => {
    const exact = await exactKind({ command: 'cat' });
    const path = `process.Process/${name}`;
    await admit(path, at(10), contextOf({ commands: 'run' }, 'run').context);
    const limited = admit(path, at(10), contextOf({ commands: ['cat'] }, exact).context);
    if (use === 'type') await expect(limited).rejects.toMatchObject(denied);
    else await limited;
    const watching = admit(path, at(10), contextOf({ pty: 'read' }, 'pty').context);
    if (use === 'watch') await watching;
    else await expect(watching).rejects.toMatchObject(denied);
    const unknown = admit(path, at(10), contextOf({ commands: 'run' }).context);
    await expect(unknown).rejects.toMatchObject({ code: 'not_found' });
  });

  test('that comes back to a process finds also what has ended', async () => {
    const { context, kindOf, lastKindOf } = contextOf({ pty: 'read' }, 'pty');
    await admit('process.Process/Connect', at(10), context);
    expect(lastKindOf.mock.calls).toEqual([[context.upstream, 'ann', 10]]);
    expect(kindOf).not.toHaveBeenCalled();
  });

  test.each(['Connect', 'Update', 'SendSignal', 'SendInput', 'CloseStdin'])(
    '%s takes its number, and a grant of processes',
    async (name) => {
      const { context } = contextOf({ commands: 'run' }, 'run');
      for (const message of [{}, { process: { selector: { case: 'tag', value: 'x' } } }])
        await expect(admit(`process.Process/${name}`, message, context)).rejects.toMatchObject({
          code: 'invalid_argument',
        });
      const none = contextOf({}, 'run');
      await expect(admit(`process.Process/${name}`, at(10), none.context)).rejects.toMatchObject(denied);
      expect(none.kindOf).not.toHaveBeenCalled();
    },
  );

  test('that lists takes a grant of processes, and is filtered', async () => {
    const path = 'process.Process/List';
    for (const grant of [{ commands: 'run' }, { pty: 'read' }, { commands: ['ls'] }] as Grant[])
      await admit(path, {}, contextOf(grant).context);
    await expect(admit(path, {}, contextOf({ ports: [80] }).context)).rejects.toMatchObject(denied);
    const list = { processes: [{ pid: 1, tag: await processTag('ann', undefined, 'run') }, { pid: 2 }] };
    const visible = await rpcPolicy(path)?.filter?.(list, contextOf({ commands: 'run' }).context);
    expect(visible).toEqual({ processes: [{ pid: 1 }] });
  });

  test('that lists shows each owner and Linux user their own, at the first time and after', async () => {
    const { filter } = rpcPolicy('process.Process/List') ?? {};
    const { processes } = contextOf({}).context;
    const whose = [
      ['ann', undefined],
      ['bob', undefined],
      ['ann', 'root'],
      ['ann', 'null'],
    ] as const;
    const marked = whose.map(async ([sub, user], pid) => ({ pid, tag: await processTag(sub, user, 'run') }));
    const list = { processes: await Promise.all(marked) };
    for (const [pid, [sub, user]] of [...whose.entries(), ...whose.entries()]) {
      const { context } = contextOf({ commands: 'run', ...(user && { user }) });
      const claims = { ...context.claims, sub };
      expect(await filter?.(list, { ...context, processes, claims })).toEqual({ processes: [{ pid }] });
    }
  });

  test('that does something to a process does not find what has ended', async () => {
    const { context, kindOf, lastKindOf } = contextOf({ pty: 'write' }, 'pty');
    await admit('process.Process/SendInput', at(10), context);
    expect(kindOf.mock.calls).toEqual([[context.upstream, 'ann', 10]]);
    expect(lastKindOf).not.toHaveBeenCalled();
  });

  test('that starts a listed command looks at where its places lead to', async () => {
    const { context } = contextOf({ commands: ['ls'], files: [{ op: 'write', prefix: '/data' }] });
    const asked: string[] = [];
    context.files.realPath = async (_upstream, path) => {
      asked.push(path);
      return path === '~' ? '/data/home' : '/srv';
    };
    const message = { process: { cmd: '/bin/bash', args: ['-l', '-c', 'ls'], envs: {} } };
    await expect(admit('process.Process/Start', message, context)).rejects.toMatchObject(denied);
    expect(asked).toEqual(['', '~']);
  });

  test('that starts is marked with what it was started under, whatever mark it came with', async () => {
    const started = async (grant: Grant, more: object = {}) => {
      const message = {
        process: { cmd: '/bin/bash', args: ['-l', '-c', 'ls'], envs: {} },
        tag: 'mine',
        ...more,
      };
      await admit('process.Process/Start', message, contextOf(grant).context);
      return message;
    };
    const tag = (kind: ProcessKind, user?: string) => processTag('ann', user, kind);
    const any = await started({ commands: 'run' });
    expect(any.tag).toBe(await tag('run'));
    expect(any.process).toEqual({ cmd: '/bin/bash', args: ['-l', '-c', 'ls'], envs: {} });
    expect((await started({ commands: 'run', user: 'user' })).tag).toBe(await tag('run', 'user'));
    expect((await started({ pty: 'write' }, { pty: {} })).tag).toBe(await tag('pty'));
    const exact = await started({ commands: ['ls'] });
    expect(exact.tag).toBe(await tag(await exactKind({ command: 'ls' })));
    expect(exact).toMatchObject({ stdin: false });
  });
});

test('no other procedure is let through', () => {
  const names = ['StreamInput', 'start', 'constructor', 'List/'];
  for (const name of names) expect(rpcPolicy(`process.Process/${name}`)).toBeUndefined();
  expect(rpcPolicy('filesystem.Filesystem/CreateWatcher')).toBeUndefined();
});
