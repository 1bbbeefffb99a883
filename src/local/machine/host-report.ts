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
      ...(host ? isolatedItems(host, overlayProblem) : unisolatedItems()),
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
    // The cause leaves out that there is no isolation, which the item says itself.
    const { message, cause } = error as Error;
    return { failure: oneLine(cause instanceof Error ? cause.message : message) };
  }
}

function isolatedItems(host: BubblewrapHost, overlayProblem: string | undefined): HostItem[] {
  return [
    usersItem(host),
    limitsItem(host),
    freezeItem(host),
    layersItem(overlayProblem),
    internetItem(host),
  ];
}

/** Nothing else could give them. */
function unisolatedItems(): HostItem[] {
  const detail = 'none without isolation';
  return [
    ...['users', 'limits', 'freezer', 'layered files'].map((name) => ({
      name,
      ok: false,
      detail,
      advice: 'as for `namespaces`',
    })),
    { name: 'internet', ok: true, detail: "the host's network is the sandboxes' as well" },
  ];
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
  if (!(await findBubblewrap()))
    return { name, ok: false, detail: 'not tried: bubblewrap is missing', advice: 'as for `bubblewrap`' };
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

function usersItem({ ids }: BubblewrapHost): HostItem {
  const name = 'users';
  if (ids.range) return { name, ok: true, detail: '`user` and `root` are two, and root is so inside only' };
  const detail = 'one uid for everyone inside: `root` is a name only, and programs can disturb envd';
  const advice = isRoot()
    ? 'start the server where all uids exist, not in a namespace of users that has few'
    : 'start the server as root: its sandboxes run under uids that nobody has';
  return { name, ok: false, detail, advice };
}

function limitsItem({ cgroups }: BubblewrapHost): HostItem {
  const name = 'limits';
  const { abilities } = cgroups;
  const kinds = { pids: 'processes only by ulimit', memory: 'memory not', cpu: 'processors not' } as const;
  const missing = (['pids', 'memory', 'cpu'] as const).filter((kind) => !abilities.has(kind));
  if (missing.length === 0) {
    return { name, ok: true, detail: 'processes, memory and processors, by control groups' };
  }
  const detail = `for want of control groups: ${missing.map((kind) => kinds[kind]).join(', ')}`;
  return { name, ok: false, detail, advice: controlGroupAdvice() };
}

function controlGroupAdvice(): string {
  return isRoot()
    ? 'let the server write to /sys/fs/cgroup (Docker: `--privileged`)'
    : 'start the server as root, or in control groups of its own: `systemd-run --user --scope -p Delegate=yes …`';
}

function freezeItem({ cgroups }: BubblewrapHost): HostItem {
  const name = 'freezer';
  if (cgroups.abilities.has('freeze')) return { name, ok: true, detail: 'by control groups' };
  return { name, ok: false, detail: 'by SIGSTOP, process by process', advice: controlGroupAdvice() };
}

function layersItem(problem: string | undefined): HostItem {
  const name = 'layered files';
  if (problem === undefined) {
    return { name, ok: true, detail: 'by overlayfs: starting from saved files costs no copy' };
  }
  const detail = `saved files are copied for each sandbox: ${problem}`;
  const advice = isRoot() ? 'set TMPDIR to a plain file system, such as ext4' : 'start the server as root';
  return { name, ok: false, detail, advice };
}

function internetItem({ internet: { problem } }: BubblewrapHost): HostItem {
  const name = 'internet';
  if (problem === undefined) {
    return { name, ok: true, detail: 'by slirp4netns, without the host’s loopback' };
  }
  const advice = problem.endsWith('not installed')
    ? '`apt-get install slirp4netns`, or what your system uses'
    : 'slirp4netns needs /dev/net/tun, open for reading and writing';
  return { name, ok: false, detail: problem, advice };
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

/** What programs say may have several; a report has one for each thing. */
function oneLine(text: string): string {
  return text.trim().replaceAll(/\s*\n\s*/g, '; ');
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}
