import { readdirSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type LocalServer, startWithEnvd } from '../../../src/local/local-server.js';
import { spareCount } from '../../../src/local/machine/machine-source.js';
import type { LocalServerOptions } from '../../../src/local/options.js';
import { hostProcesses, uniqueSleep } from './support/host-processes.js';
import { api, bundledEnvd, type Created, createSandbox } from './support/server.js';
import { until } from './support/until.js';

/** A server, and a look at what it has on the host. */
interface Watched {
  readonly server: LocalServer;
  /** The `/` of each of its machines, paused sandbox and snapshot. */
  roots(): string[];
  /** Closes it and checks that nothing of it is left. */
  close(): Promise<void>;
}

function workspaces(): string[] {
  const pattern = new RegExp(`^e2b-edge-.*-${process.pid}-`);
  return readdirSync(realpathSync(tmpdir())).filter((name) => pattern.test(name));
}

async function watched(options: LocalServerOptions = {}): Promise<Watched> {
  const others = new Set(workspaces());
  const timers = runningTimers();
  const server = await startWithEnvd(options, await bundledEnvd());
  const [name = ''] = workspaces().filter((one) => !others.has(one));
  const path = join(realpathSync(tmpdir()), name);
  return {
    server,
    roots: () => readdirSync(path).filter((one) => one.startsWith('sandbox-')),
    close: async () => {
      await server.close();
      expect(workspaces()).not.toContain(name);
      expect(hostProcesses(path)).toEqual([]);
      await until('no timer is left', () => runningTimers() <= timers);
    },
  };
}

/** Timers that keep this process from ending. */
function runningTimers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
}

const post = (server: LocalServer, { sandboxID }: Created, what: string, body = {}): Promise<Response> =>
  api(server, 'POST', `/sandboxes/${sandboxID}/${what}`, body);

describe('whatever happens at once', () => {
  const steps = ['pause', 'pauseFiles', 'connect', 'fork', 'snapshot', 'timeout', 'info', 'kill'] as const;

  async function take(server: LocalServer, sandbox: Created, step: (typeof steps)[number]): Promise<number> {
    const path = `/sandboxes/${sandbox.sandboxID}`;
    const doing = {
      pause: () => post(server, sandbox, 'pause'),
      pauseFiles: () => post(server, sandbox, 'pause', { memory: false }),
      connect: () => post(server, sandbox, 'connect', { timeout: 100 }),
      fork: () => post(server, sandbox, 'fork', { count: 2, timeout: 100 }),
      snapshot: () => post(server, sandbox, 'snapshots', { name: 'of-the-races' }),
      timeout: () => post(server, sandbox, 'timeout', { timeout: 100 }),
      info: () => api(server, 'GET', path),
      kill: () => api(server, 'DELETE', path),
    };
    return (await doing[step]()).status;
  }

  test('every request is answered properly, one state is left, and then nothing', async () => {
    const { server, roots, close } = await watched({ isolation: 'none' });
    // What is in one group is asked for at once, the groups one after another.
    const group = fc.array(fc.constantFrom(...steps), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.array(group, { minLength: 1, maxLength: 4 }), async (groups) => {
        const sandbox = await createSandbox(server, { timeout: 100 });
        const statuses: number[] = [];
        for (const chosen of groups) {
          statuses.push(...(await Promise.all(chosen.map((step) => take(server, sandbox, step)))));
        }
        expect(statuses.filter((status) => ![200, 201, 204, 404, 409].includes(status))).toEqual([]);
        const killed = groups.flat().includes('kill');
        expect(await take(server, sandbox, 'info')).toBe(killed ? 404 : 200);
      }),
      { numRuns: 40, examples: [[[['pauseFiles'], ['kill']]], [[['pauseFiles'], ['connect', 'kill']]]] },
    );
    const all = (await (await api(server, 'GET', '/v2/sandboxes')).json()) as Created[];
    await Promise.all(all.map((sandbox) => take(server, sandbox, 'kill')));
    const snapshots = (await (await api(server, 'GET', '/snapshots')).json()) as { snapshotID: string }[];
    for (const { snapshotID } of snapshots) {
      await api(server, 'DELETE', `/templates/${encodeURIComponent(snapshotID)}`);
    }
    await until('the directories of all are gone', () => roots().length <= spareCount);
    await close();
  });
});

describe('a server that is closed', () => {
  test('in the middle of everything leaves nothing', async () => {
    const { server, close } = await watched();
    const sandboxes = await Promise.all(Array.from({ length: 4 }, () => createSandbox(server)));
    const [a, b, c, d] = sandboxes as [Created, Created, Created, Created];
    await post(server, b, 'pause');
    await post(server, d, 'pause', { memory: false });
    const cut = Promise.allSettled([
      post(server, a, 'pause'),
      post(server, b, 'connect', { timeout: 100 }),
      post(server, c, 'fork', { count: 20 }),
      post(server, d, 'connect', { timeout: 100 }),
      createSandbox(server),
    ]);
    // Something of each has begun.
    await new Promise((resolve) => setTimeout(resolve, 30));
    await close();
    await cut;
  });

  test('with paused sandboxes and snapshots leaves nothing', async () => {
    const { server, close } = await watched();
    const sandbox = await createSandbox(server, { autoPause: true });
    await post(server, sandbox, 'snapshots');
    await post(server, sandbox, 'pause');
    await post(server, await createSandbox(server), 'pause', { memory: false });
    await close();
  });

  test('does not wait for a template that is not ready', async () => {
    const sleep = uniqueSleep();
    const { server, close } = await watched({ templates: { slow: { startCmd: sleep, readyCmd: 'false' } } });
    const creating = createSandbox(server, { templateID: 'slow' }).catch(() => {});
    await until('it starts', () => hostProcesses(sleep).length > 0);
    const begun = performance.now();
    await close();
    // Not the fifty seconds that a ready command has.
    expect(performance.now() - begun).toBeLessThan(20_000);
    await creating;
  });
});
