import { lstat, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { CommandError } from './command.js';

/** What other commands need to use a server of this machine. */
export interface RunningServer {
  readonly apiUrl: string;
  readonly sandboxUrl: string;
  readonly apiKey: string;
}

/**
 * Tells other commands of the same user of a server in this process. Resolves to what takes that back.
 *
 * @throws `CommandError` when there is no place that only this user can write to.
 */
export async function announce({ apiUrl, sandboxUrl, apiKey }: RunningServer): Promise<() => Promise<void>> {
  const path = join(await privateDirectory(), `${process.pid}.json`);
  await rm(path, { force: true });
  const startedAt = Date.now();
  await writeFile(path, JSON.stringify({ apiUrl, sandboxUrl, apiKey, startedAt }), {
    mode: 0o600,
    flag: 'wx',
  });
  return () => rm(path, { force: true });
}

/** The server that this user started last and that still runs. */
export async function findServer(): Promise<RunningServer | undefined> {
  const directory = await privateDirectory();
  let newest: (RunningServer & { startedAt: number }) | undefined;
  for (const name of await readdir(directory)) {
    const pid = Number(/^(\d+)\.json$/.exec(name)?.[1] ?? Number.NaN);
    if (Number.isNaN(pid)) continue;
    const path = join(directory, name);
    if (!isAlive(pid)) {
      await rm(path, { force: true });
      continue;
    }
    const server = await readFile(path, 'utf8')
      .then((text) => JSON.parse(text) as RunningServer & { startedAt: number })
      // Just being written, or just gone.
      .catch(() => undefined);
    if (server && server.startedAt >= (newest?.startedAt ?? 0)) newest = server;
  }
  return newest;
}

/** A directory that is this user's alone: what lies in it is believed, and has an API key in it. */
async function privateDirectory(): Promise<string> {
  const { uid } = userInfo();
  const runtime = process.env.XDG_RUNTIME_DIR;
  const path = runtime ? join(runtime, 'e2b-edge') : join(tmpdir(), `e2b-edge-servers-${uid}`);
  await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw new CommandError(`${path} cannot be made: ${error.message}`);
  });
  const stats = await lstat(path);
  if (!stats.isDirectory() || stats.uid !== uid || (stats.mode & 0o077) !== 0) {
    throw new CommandError(
      `${path} must be a directory that is yours alone (mode 700): remove it, or set XDG_RUNTIME_DIR`,
    );
  }
  return path;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
