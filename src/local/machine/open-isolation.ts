import { SandboxError } from '../../errors.js';
import { type BubblewrapHost, bubblewrapIsolation, findBubblewrap } from './bubblewrap.js';
import { type HostIds, possibleIds } from './host-ids.js';
import { InternetAccess } from './internet-access.js';
import type { Isolation, IsolationKind } from './isolation.js';
import { defaultLimits, type Limits } from './limits.js';
import type { Machine } from './machine.js';
import { startMachine } from './machine-source.js';
import { noIsolation } from './no-isolation.js';
import { copyRuntime, type RuntimeFiles } from './runtime-files.js';
import { Workspace } from './workspace.js';

/** What a server's options say about its sandboxes. */
export interface IsolationRequest {
  readonly isolation: IsolationKind | 'auto';
  readonly limits: Partial<Limits>;
  readonly logger?: { warn(message: string): void };
}

/** An isolation that was seen to work, with the machine that showed it. */
export interface OpenIsolation {
  readonly isolation: Isolation;
  readonly first: Machine;
  readonly workspace: Workspace;
  /** What there is for it, with bubblewrap. */
  readonly host?: BubblewrapHost;
}

/** Takes the strongest isolation that is allowed and works here, by starting one sandbox in it. */
export async function openIsolation(options: IsolationRequest, envdScript: string): Promise<OpenIsolation> {
  if (options.isolation === 'none') return openPlain(envdScript);
  try {
    return await openBubblewrap(options, envdScript);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (options.isolation === 'bubblewrap') {
      throw new SandboxError(`isolation by bubblewrap is not possible here: ${reason}`, {
        code: 'isolation_unavailable',
        cause: error,
      });
    }
    const open = await openPlain(envdScript);
    options.logger?.warn(
      `Sandboxes are NOT isolated: their programs run as you and can reach all of your files. ${reason}`,
    );
    return open;
  }
}

async function openBubblewrap(options: IsolationRequest, envdScript: string): Promise<OpenIsolation> {
  const executable = await findBubblewrap();
  if (!executable) throw new Error(howToInstall());
  let failure: unknown;
  for (const ids of possibleIds()) {
    try {
      return await openWith(executable, ids, options, envdScript);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

async function openWith(
  executable: string,
  ids: HostIds,
  options: IsolationRequest,
  envdScript: string,
): Promise<OpenIsolation> {
  const workspace = await Workspace.create(ids);
  const internet = await InternetAccess.find(ids.launcher);
  const { cgroups } = workspace;
  const host = { executable, ids, cgroups, limits: { ...defaultLimits, ...options.limits }, internet };
  const opened = await open(workspace, envdScript, (runtime) =>
    bubblewrapIsolation(host, workspace, runtime),
  );
  const { logger, limits } = options;
  if (internet.problem) logger?.warn(`Sandboxes have no way out to any network: ${internet.problem}.`);
  const missing = unenforced(limits, cgroups.abilities);
  if (missing.length > 0) logger?.warn(`No limit is kept here for ${missing.join(' and ')}.`);
  return { ...opened, host };
}

/** Of limits that were asked for, those that this host has no control group for. */
function unenforced(limits: Partial<Limits>, abilities: ReadonlySet<string>): string[] {
  const missing: string[] = [];
  if (limits.memoryMb !== undefined && !abilities.has('memory')) missing.push('memory');
  if (limits.cpus !== undefined && !abilities.has('cpu')) missing.push('processors');
  return missing;
}

async function openPlain(envdScript: string): Promise<OpenIsolation> {
  const workspace = await Workspace.create();
  return open(workspace, envdScript, async (runtime) => noIsolation(runtime));
}

async function open(
  workspace: Workspace,
  envdScript: string,
  prepare: (runtime: RuntimeFiles) => Promise<Isolation>,
): Promise<OpenIsolation> {
  try {
    const isolation = await prepare(await copyRuntime(envdScript, workspace.runtimePath));
    return { isolation, workspace, first: await startMachine(isolation, workspace, {}) };
  } catch (error) {
    await workspace.remove();
    throw error;
  }
}

function howToInstall(): string {
  if (process.platform !== 'linux') return `Isolation needs Linux; this is ${process.platform}.`;
  return 'bubblewrap is not installed: for isolation, run `apt-get install bubblewrap` (or what your system uses).';
}
