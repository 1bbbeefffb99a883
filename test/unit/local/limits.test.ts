import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { hostProcesses, uniqueSleep } from './support/host-processes.js';
import { run, sh, stream } from './support/rpc.js';
import { api, createSandbox, startServer } from './support/server.js';
import { startServerProcess } from './support/server-process.js';
import { until } from './support/until.js';

const asRoot = { headers: { authorization: `Basic ${btoa('root:')}` } };
/** Forks for ever, each time two that do the same. */
const forkBomb = 'bomb() { bomb & bomb; }; bomb';

/** What the kernel was told about the control group of a process. Which version's file that is depends on the host. */
function groupFile(pid: number, controller: string, ...names: string[]): string {
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n');
  const own = lines.map((line) => line.split(':')).find(([, it]) => it!.split(',').includes(controller));
  const unified = lines.map((line) => line.split(':')).find(([id]) => id === '0');
  const directory = own ? `/sys/fs/cgroup/${own[1]}${own[2]}` : `/sys/fs/cgroup${unified![2]}`;
  const name = names.find((it) => existsSync(`${directory}/${it}`))!;
  return readFileSync(`${directory}/${name}`, 'utf8').trim();
}

describe('by control groups', () => {
  test('a fork bomb stays in its sandbox, which can be ended, and others do not notice', async () => {
    const server = await startServer({ isolation: 'bubblewrap', limits: { processes: 100 } });
    const [bombed, other] = [await createSandbox(server), await createSandbox(server)];
    const mark = uniqueSleep();
    for (const options of [{}, asRoot]) {
      await stream(server, bombed, 'process.Process/Start', sh(`${mark} & ${forkBomb}`), options);
    }
    await until('it has hit the limit', async () => {
      const [pid] = hostProcesses(mark);
      return pid !== undefined && groupFile(pid, 'pids', 'pids.events') !== 'max 0';
    });
    expect((await run(server, other, sh('echo well'))).stdout).toBe('well\n');
    expect((await api(server, 'DELETE', `/sandboxes/${bombed.sandboxID}`)).status).toBe(204);
    expect(hostProcesses(mark)).toEqual([]);
    expect((await run(server, other, sh('echo well'))).stdout).toBe('well\n');
  });

  test('a program that takes too much memory is killed, and the sandbox lives', async () => {
    const server = await startServer({ isolation: 'bubblewrap', limits: { memoryMb: 256 } });
    const sandbox = await createSandbox(server);
    const hog = 'python3 -c "x = bytearray(400 << 20); print(len(x))"';
    expect(await run(server, sandbox, sh(`${hog}; echo $?`))).toMatchObject({ stdout: '137\n' });
    const other = await startServer({ isolation: 'bubblewrap' });
    expect(await run(other, await createSandbox(other), sh(hog))).toMatchObject({ stdout: '419430400\n' });
  });

  test('a share of the processors', async () => {
    const server = await startServer({ isolation: 'bubblewrap', limits: { cpus: 0.5 } });
    const sandbox = await createSandbox(server);
    const sleep = uniqueSleep();
    await stream(server, sandbox, 'process.Process/Start', sh(`exec ${sleep}`));
    await until('it runs', () => hostProcesses(sleep).length > 0);
    expect(groupFile(hostProcesses(sleep)[0]!, 'cpu', 'cpu.cfs_quota_us', 'cpu.max')).toMatch(
      /^50000( 100000)?$/,
    );
  });
});

describe('where the host has no control groups to give', () => {
  const withoutGroups = [
    'unshare',
    '--mount',
    'sh',
    '-c',
    'mount -t tmpfs none /sys/fs/cgroup; exec "$@"',
    'sh',
  ];

  test('processes are counted all the same, and what cannot be limited is said', async () => {
    const server = await startServerProcess(
      { isolation: 'bubblewrap', limits: { processes: 100, memoryMb: 256, cpus: 0.5 } },
      withoutGroups,
    );
    expect(server.warnings.join('\n')).toContain('No limit is kept here for memory and processors.');
    const [bombed, other] = [await createSandbox(server), await createSandbox(server)];
    const { stdout } = await run(server, bombed, sh('ulimit -p'));
    expect(stdout).toBe('100\n');
    const mark = uniqueSleep();
    await stream(server, bombed, 'process.Process/Start', sh(`${mark} & ${forkBomb}`));
    await until('it runs', () => hostProcesses(mark).length > 0);
    expect((await run(server, other, sh('echo well'))).stdout).toBe('well\n');
    expect((await api(server, 'DELETE', `/sandboxes/${bombed.sandboxID}`)).status).toBe(204);
    expect(hostProcesses(mark)).toEqual([]);
  });
});
