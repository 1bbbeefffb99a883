import { constants, type Stats } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Code, ConnectError } from '@connectrpc/connect';
import type { ProcessConfig } from '../../../wire/gen/process/process_pb.js';
import type { SandboxContext } from '../context.js';
import { errnoOf, toConnectError } from '../errors.js';
import { expandPath } from '../paths.js';
import type { User } from '../users.js';
import { type Credentials, credentialsOf } from './credentials.js';
import type { Launch } from './spawned.js';

/** Linux's limits, in bytes with the final NUL: of one argument, and of all with the environment. */
const longestArgument = 128 << 10;
const longestArguments = 2 << 20;
const pointerBytes = 8;

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What a process that was asked for is started with. Rejects with `invalid_argument`. */
export async function launchOf(
  { cmd, args, envs, cwd }: ProcessConfig,
  user: User,
  context: SandboxContext,
): Promise<Launch> {
  const { paths, workdir } = context;
  try {
    const path = expandPath(cwd ?? '', user, workdir);
    const place = await paths.target(path);
    await stat(place).catch((error) => {
      if (errnoOf(error) === 'ENOENT') {
        throw new ConnectError(`cwd '${path}' does not exist`, Code.InvalidArgument);
      }
    });
    const env = {
      PATH: process.env.PATH ?? defaultPath,
      HOME: await paths.target(user.home),
      USER: user.name,
      LOGNAME: user.name,
      ...context.envs,
      ...envs,
      ...context.marks,
    };
    return { cmd, args, cwd: place, env, credentials: credentialsOf(user) };
  } catch (error) {
    throw toConnectError(error, Code.InvalidArgument);
  }
}

/**
 * Rejects where the program could not be started for what it was asked with. The kernel would say so too, but in
 * the child: where a terminal is started nobody is told, and arguments end at their first NUL byte.
 */
export async function requireStartable(launch: Launch): Promise<void> {
  requireArguments(launch);
  await requireEnterable(launch);
}

function requireArguments({ cmd, args, env }: Launch): void {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  if ([cmd, ...args].some(hasNul)) throw new Error('an argument contains a NUL byte');
  if (variables.some(hasNul)) throw new Error('an environment variable contains a NUL byte');
  const sizes = [cmd, ...args, ...variables].map((text) => Buffer.byteLength(text) + 1);
  const total = sizes.reduce((sum, size) => sum + size + pointerBytes, 0);
  if (total > longestArguments || sizes.some((size) => size > longestArgument)) throw systemError('E2BIG');
}

function hasNul(text: string): boolean {
  return text.includes('\0');
}

/** As chdir(2) of the program's user: the real call is made before the child becomes that user. */
async function requireEnterable({ cwd, credentials }: Launch): Promise<void> {
  if (!(await stat(cwd)).isDirectory()) throw systemError('ENOTDIR');
  if (!credentials) return access(cwd, constants.X_OK);
  for (let path = await realpath(cwd); ; path = dirname(path)) {
    if (!mayEnter(await stat(path), credentials)) throw systemError('EACCES');
    if (path === '/') return;
  }
}

function mayEnter({ uid, gid, mode }: Stats, user: Credentials): boolean {
  if (user.uid === 0) return true;
  if (user.uid === uid) return (mode & constants.S_IXUSR) !== 0;
  if (user.gid === gid || user.groups.includes(gid)) return (mode & constants.S_IXGRP) !== 0;
  return (mode & constants.S_IXOTH) !== 0;
}

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}
