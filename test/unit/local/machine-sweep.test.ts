import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { childrenOf } from '../../../src/local/os/process-end.js';
import { hostProcesses, uniqueSleep } from './support/host-processes.js';
import { run, sh, stream } from './support/rpc.js';
import { createSandbox } from './support/server.js';
import { type ServerProcess, startServerProcess } from './support/server-process.js';
import { until } from './support/until.js';

const asNobodySpecial = ['setpriv', '--reuid=1234', '--regid=1234', '--clear-groups'];
const root = process.getuid?.() === 0;

/** Starts what is hard to get rid of: a daemon, a terminal, and something that is stopped. */
async function fill(server: ServerProcess, mark: string): Promise<void> {
  const sandbox = await createSandbox(server);
  await run(server, sandbox, sh(`setsid -f ${mark} >/dev/null 2>&1 </dev/null`));
  await run(server, sandbox, sh(`exec >/dev/null 2>&1; ${mark} & kill -STOP $!`));
  await stream(server, sandbox, 'process.Process/Start', {
    process: { cmd: '/bin/sh', args: ['-c', `${mark}; true`] },
    pty: {},
  });
  await until('they run', () => hostProcesses(mark).length >= 3);
}

async function killOutright({ child }: ServerProcess, others: readonly number[] = []): Promise<void> {
  const exited = once(child, 'exit');
  const signalOthers = (signal: NodeJS.Signals): void => {
    for (const pid of others) if (pid > 1) process.kill(pid, signal);
  };
  // They would hear that the server is gone.
  signalOthers('SIGSTOP');
  child.kill('SIGKILL');
  signalOthers('SIGKILL');
  await exited;
}

function controlGroups(server: ServerProcess): string[] {
  const [workspace = ''] = readdirSync(server.temporary);
  return readFileSync(join(server.temporary, workspace, 'cgroups'), 'utf8')
    .split('\n')
    .filter(Boolean);
}

const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`);

describe.each([
  { who: 'root', wrapper: [], needsRoot: true },
  { who: 'another user', wrapper: asNobodySpecial, needsRoot: true },
])('a server of $who that is killed outright', ({ wrapper, needsRoot }) => {
  test.runIf(root || !needsRoot)('leaves no process behind, and the next one removes the rest', async () => {
    const server = await startServerProcess({ isolation: 'bubblewrap' }, wrapper);
    const mark = uniqueSleep();
    await fill(server, mark);
    await fill(server, mark);
    const children = childrenOf(server.child.pid!);
    const groups = controlGroups(server);
    expect(children.length).toBeGreaterThanOrEqual(3);
    await killOutright(server);
    await until('all have ended', () => hostProcesses(mark).length === 0 && !children.some(isAlive));
    const [left] = readdirSync(server.temporary);
    const next = await startServerProcess({ isolation: 'bubblewrap' }, wrapper, server.temporary);
    expect(readdirSync(server.temporary)).toEqual([expect.not.stringMatching(left!)]);
    expect(groups.filter((path) => existsSync(path))).toEqual([]);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(server.temporary);
    await next.close();
    expect(readdirSync(server.temporary)).toEqual([]);
  });
});

test('nothing is left, whatever moment of a start the server is killed at', async () => {
  let temporary: string | undefined;
  for (let round = 0; round < 8; round++) {
    const server: ServerProcess = await startServerProcess({ isolation: 'bubblewrap' }, [], temporary);
    temporary = server.temporary;
    const creating = Promise.allSettled(Array.from({ length: 4 }, () => createSandbox(server)));
    await delay(round * 12);
    await killOutright(server);
    await creating;
  }
  const next = await startServerProcess({ isolation: 'bubblewrap' }, [], temporary);
  await next.close();
  expect(hostProcesses(temporary!)).toEqual([]);
  expect(readdirSync(temporary!)).toEqual([]);
});

describe('without isolation', () => {
  test('envd ends everything when the server is gone', async () => {
    const server = await startServerProcess({ isolation: 'none' });
    const mark = uniqueSleep();
    await fill(server, mark);
    await killOutright(server);
    await until('all have ended', () => hostProcesses(mark).length === 0);
  });

  test('what outlives an envd that was killed too is ended by the next server', async () => {
    const server = await startServerProcess({ isolation: 'none' });
    const mark = uniqueSleep();
    await fill(server, mark);
    await killOutright(server, childrenOf(server.child.pid!));
    expect(hostProcesses(mark).length).toBeGreaterThan(0);
    const next = await startServerProcess({ isolation: 'none' }, [], server.temporary);
    expect(hostProcesses(mark)).toEqual([]);
    await next.close();
    expect(readdirSync(server.temporary)).toEqual([]);
  });
});

test('a server for which nobody has slirp4netns’ device says that there is no way out', async () => {
  const server = await startServerProcess({ isolation: 'bubblewrap' }, asNobodySpecial);
  const sandbox = await createSandbox(server);
  expect((await run(server, sandbox, sh('id -u; tail -n +3 /proc/net/dev | cut -d: -f1'))).stdout).toMatch(
    /^1000\n\s*lo\n/,
  );
  if (server.warnings.length > 0) expect(server.warnings.join()).toContain('no way out to any network');
});

test.runIf(root)(
  'a server whose whole namespace of processes has ended is cleaned up after as well',
  async () => {
    const inside = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];
    const server = await startServerProcess({ isolation: 'bubblewrap' }, inside);
    const groups = controlGroups(server);
    const [left] = readdirSync(server.temporary);
    const other = await startServerProcess({ isolation: 'bubblewrap' }, [], server.temporary);
    // Its pid means another, or nobody, out here.
    expect(readdirSync(server.temporary)).toContain(left);
    await other.close();
    await killOutright(server);
    await until('all have ended', () => hostProcesses(server.temporary).length === 0);
    const next = await startServerProcess({ isolation: 'bubblewrap' }, [], server.temporary);
    expect(readdirSync(server.temporary)).not.toContain(left);
    expect(groups.filter((path) => existsSync(path))).toEqual([]);
    await next.close();
  },
);
