import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BubblewrapHost } from './bubblewrap.js';
import { findBubblewrap } from './bubblewrap.js';
import type { IsolationKind } from './isolation.js';
import { openIsolation } from './open-isolation.js';
import { builtEnvd } from './runtime-files.js';

/** One thing that sandboxes have on this machine, or lack. */
export interface HostItem {
  readonly name: string;
  readonly ok: boolean;
  /** What there is, or why it is not there. */
  readonly detail: string;
  /** What to do to get it. */
  readonly advice?: string;
}

/** What this machine gives to sandboxes, and why not more. */
export interface HostReport {
  /** What a server takes that is left to choose. */
  readonly isolation: IsolationKind;
  readonly items: readonly HostItem[];
}

/** Finds out by starting one sandbox, which is ended again. Takes about half a second. */
export async function describeHost(envdScript: string = builtEnvd): Promise<HostReport> {
  const { host, overlayProblem, failure } = await tryBubblewrap(envdScript);
  return {
    isolation: host ? 'bubblewrap' : 'none',
    items: [
      await bubblewrapItem(),
      await namespaceItem(host, failure),
      usersItem(host),
      limitsItem(host),
      freezeItem(host),
      layersItem(host, overlayProblem),
      internetItem(host),
      terminalsItem(),
      await metadataItem(),
    ],
  };
}

interface Attempt {
  readonly host?: BubblewrapHost;
  readonly overlayProblem?: string | undefined;
  readonly failure?: string;
}

async function tryBubblewrap(envdScript: string): Promise<Attempt> {
  try {
    const request = { isolation: 'bubblewrap', limits: {} } as const;
    const { first, workspace, host } = await openIsolation(request, envdScript);
    await first.close();
    await workspace.remove();
    return host ? { host, overlayProblem: workspace.overlayProblem } : {};
  } catch (error) {
    return { failure: (error as Error).message };
  }
}

async function bubblewrapItem(): Promise<HostItem> {
  const path = await findBubblewrap();
  if (path) return { name: 'bubblewrap', ok: true, detail: path };
  if (process.platform !== 'linux') {
    return {
      name: 'bubblewrap',
      ok: false,
      detail: `needs Linux; this is ${process.platform}`,
      advice: 'run the server in a Linux virtual machine or container',
    };
  }
  const advice = '`apt-get install bubblewrap`, or what your system uses';
  return { name: 'bubblewrap', ok: false, detail: 'not installed', advice };
}

async function namespaceItem(
  host: BubblewrapHost | undefined,
  failure: string | undefined,
): Promise<HostItem> {
  const name = 'namespaces';
  if (host)
    return { name, ok: true, detail: 'own users, processes, files, network and names for each sandbox' };
  return { name, ok: false, detail: failure ?? 'not tried', advice: await namespaceAdvice() };
}

/** The usual reasons: distributions that keep users from making namespaces, and containers. */
async function namespaceAdvice(): Promise<string> {
  const settings: [path: string, forbids: string, command: string][] = [
    ['kernel/unprivileged_userns_clone', '0', 'sysctl kernel.unprivileged_userns_clone=1'],
    [
      'kernel/apparmor_restrict_unprivileged_userns',
      '1',
      'sysctl kernel.apparmor_restrict_unprivileged_userns=0',
    ],
    ['user/max_user_namespaces', '0', 'sysctl user.max_user_namespaces=10000'],
  ];
  for (const [path, forbids, command] of settings) {
    const value = await readFile(`/proc/sys/${path}`, 'utf8').catch(() => '');
    if (value.trim() === forbids) return `as root: \`${command}\``;
  }
  return 'in a container, give it the right to make namespaces (Docker: `--security-opt seccomp=unconfined`, or `--privileged`)';
}

function usersItem(host: BubblewrapHost | undefined): HostItem {
  const name = 'users';
  if (host?.ids.range)
    return { name, ok: true, detail: '`user` and `root` are two, and root is so inside only' };
  const detail = 'one uid for everyone inside: `root` is a name only, and programs can reach envd';
  return {
    name,
    ok: false,
    detail,
    advice: 'start the server as root (it gives sandboxes to uids that nobody has)',
  };
}

function limitsItem(host: BubblewrapHost | undefined): HostItem {
  const name = 'limits';
  const has = host?.cgroups.abilities ?? new Set();
  const kept = (['pids', 'memory', 'cpu'] as const).filter((it) => has.has(it));
  if (kept.length === 3)
    return { name, ok: true, detail: 'processes, memory and processors, by control groups' };
  const detail = host
    ? `by control groups: ${kept.join(', ') || 'none'}; processes are counted anyway`
    : 'none';
  return { name, ok: false, detail, advice: controlGroupAdvice };
}

const controlGroupAdvice =
  'start the server as root, or in control groups of its own: `systemd-run --user --scope -p Delegate=yes …`';

function freezeItem(host: BubblewrapHost | undefined): HostItem {
  const name = 'freezer';
  if (host?.cgroups.abilities.has('freeze')) return { name, ok: true, detail: 'by control groups' };
  return { name, ok: false, detail: 'by SIGSTOP, process by process', advice: controlGroupAdvice };
}

function layersItem(host: BubblewrapHost | undefined, problem: string | undefined): HostItem {
  const name = 'layered files';
  if (host && problem === undefined) {
    return { name, ok: true, detail: 'by overlayfs: starting from saved files costs no copy' };
  }
  const detail = `saved files are copied for each sandbox: ${problem ?? 'there is no isolation'}`;
  return { name, ok: false, detail, advice: 'start the server as root, with TMPDIR on a plain file system' };
}

function internetItem(host: BubblewrapHost | undefined): HostItem {
  const name = 'internet';
  if (!host) return { name, ok: true, detail: "the host's network is the sandboxes' as well" };
  if (!host.internet.problem)
    return { name, ok: true, detail: 'by slirp4netns, without the host’s loopback' };
  const advice = '`apt-get install slirp4netns`, and /dev/net/tun has to be there';
  return { name, ok: false, detail: host.internet.problem, advice };
}

function terminalsItem(): HostItem {
  const name = 'terminals';
  try {
    createRequire(import.meta.url)('@lydell/node-pty');
    return { name, ok: true, detail: 'by node-pty' };
  } catch (error) {
    return { name, ok: false, detail: firstLine(error), advice: reinstall };
  }
}

async function metadataItem(): Promise<HostItem> {
  const name = 'file metadata';
  const directory = await mkdtemp(join(tmpdir(), 'e2b-edge-doctor-'));
  try {
    const xattr = createRequire(import.meta.url)('@napi-rs/xattr') as {
      setAttributeSync(path: string, name: string, value: string): void;
    };
    xattr.setAttributeSync(directory, 'user.e2b.doctor', 'well');
    return { name, ok: true, detail: `by extended attributes, in ${tmpdir()}` };
  } catch (error) {
    const advice = `${reinstall}; else set TMPDIR to a file system with user attributes`;
    return { name, ok: false, detail: firstLine(error), advice };
  } finally {
    await rm(directory, { recursive: true });
  }
}

const reinstall = 'install the package again, without `--omit=optional`';

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]!;
}
