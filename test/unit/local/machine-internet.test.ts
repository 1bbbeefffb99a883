import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, expect, onTestFinished, test } from 'vitest';
import { InternetAccess } from '../../../src/local/machine/internet-access.js';
import type { Machine } from '../../../src/local/machine/machine.js';
import { childrenOf } from '../../../src/local/os/process-end.js';
import { hostProcesses } from './support/host-processes.js';
import { kinds, openSource, shellIn, take } from './support/machines.js';

const outside = Object.values(networkInterfaces())
  .flat()
  .find((it) => it && !it.internal && it.family === 'IPv4')?.address;
const { problem } = await InternetAccess.find(undefined);
const unable = problem ?? (outside === undefined ? 'this machine has no address but loopback' : undefined);
if (unable !== undefined) console.warn(`Not tested: the way out of a sandbox, because ${unable}.`);

const enclosed = kinds.filter((kind) => kind !== 'none');

/** Serves on an address of this host. */
async function serve(address: string): Promise<number> {
  const server = createServer((_request, response) => response.end('reached'));
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** What a program in a machine gets from there. */
function get(machine: Machine, address: string, port: number): Promise<string> {
  const program = `import urllib.request as r; print(r.urlopen("http://${address}:${port}", timeout=3).read().decode())`;
  return shellIn(machine, `python3 -c '${program}' 2>&1 | tail -1`);
}

const ways = (): number[] =>
  hostProcesses('slirp4netns').filter((pid) => childrenOf(process.pid).includes(pid));

describe.runIf(unable === undefined).each(enclosed)('isolation: %s', (kind) => {
  test('programs reach what the host can, but not its loopback', async () => {
    const machine = await take(await openSource(kind));
    const port = await serve(outside!);
    expect(await get(machine, outside!, port)).toBe('reached\n');
    const local = await serve('127.0.0.1');
    for (const address of ['127.0.0.1', '10.0.2.2']) {
      expect(await get(machine, address, local)).toMatch(/refused|unreachable|timed out/);
    }
    expect(await shellIn(machine, 'cat /etc/resolv.conf')).toBe('nameserver 10.0.2.3\n');
  });

  test('without internet they have their own loopback only, also when started from files', async () => {
    const source = await openSource(kind);
    const port = await serve(outside!);
    const files = await (await take(source)).saveFiles();
    for (const request of [{}, { files }]) {
      const machine = await take(source, { ...request, internet: false });
      expect(await get(machine, outside!, port)).toContain('unreachable');
      expect(await shellIn(machine, 'tail -n +3 /proc/net/dev | cut -d: -f1')).toMatch(/^\s*lo\n$/);
    }
  });

  test('the way out ends with the sandbox', async () => {
    const source = await openSource(kind);
    const machine = await take(source);
    expect(ways().length).toBeGreaterThan(0);
    await machine.close();
    await source.close();
    expect(ways()).toEqual([]);
  });
});

test('a host without slirp4netns gives no way out, and says why', async () => {
  const access = await InternetAccess.find(undefined, ['/no/such/slirp4netns']);
  expect(await access.open({ pid: process.pid, users: 0 })).toBeUndefined();
  expect(access.problem).toBe('slirp4netns is not installed');
});

test('one that does not work is given up at the first sandbox, with its own words', async () => {
  const access = await InternetAccess.find(undefined, ['/bin/false']);
  expect(await access.open({ pid: process.pid, users: 0 })).toBeUndefined();
  expect(access.problem).toBe('slirp4netns: it ended at once');
});
