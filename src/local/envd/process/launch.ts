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
 * Rejects as chdir(2) of the program's user would. The real call is made by the child before it becomes that
 * user, and where a terminal is started nobody is told of its failure.
 */
export async function requireEnterable({ cwd, credentials }: Launch): Promise<void> {
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
