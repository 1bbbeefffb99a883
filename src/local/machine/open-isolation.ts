import { SandboxError } from '../../errors.js';
import type { CheckedOptions } from '../options.js';
import { bubblewrapIsolation, bubblewrapOwner, findBubblewrap } from './bubblewrap.js';
import type { Isolation } from './isolation.js';
import type { Machine } from './machine.js';
import { startMachine } from './machine-source.js';
import { noIsolation } from './no-isolation.js';
import { copyRuntime, type RuntimeFiles } from './runtime-files.js';
import { Workspace } from './workspace.js';

/** An isolation that was seen to work, with the machine that showed it. */
export interface OpenIsolation {
  readonly isolation: Isolation;
  readonly first: Machine;
  readonly workspace: Workspace;
}

/** Takes the strongest isolation that is allowed and works here, by starting one sandbox in it. */
export async function openIsolation(options: CheckedOptions, envdScript: string): Promise<OpenIsolation> {
  if (options.isolation === 'none') return openPlain(envdScript);
  try {
    return await openBubblewrap(envdScript);
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

async function openBubblewrap(envdScript: string): Promise<OpenIsolation> {
  const executable = await findBubblewrap();
  if (!executable) throw new Error(howToInstall());
  const workspace = await Workspace.create(bubblewrapOwner());
  return open(workspace, envdScript, (runtime) => bubblewrapIsolation(executable, workspace, runtime));
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
