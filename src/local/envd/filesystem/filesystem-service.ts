import { lstat, rename, stat } from 'node:fs/promises';
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from '@connectrpc/connect';
import type { EntryInfo, Filesystem } from '../../../wire/gen/filesystem/filesystem_pb.js';
import type { SandboxContext } from '../context.js';
import { errnoOf, reasonOf, toConnectError } from '../errors.js';
import { expandPath } from '../paths.js';
import type { User } from '../users.js';
import { ensureDirectories, parentOf } from './ensure-directories.js';
import { entryInfo } from './entry-info.js';
import { listDir } from './list-dir.js';
import { removeTree } from './remove-tree.js';
import { watchMethods } from './watching/watch-methods.js';

/** The RPC service `filesystem.Filesystem`. */
export function filesystemService(sandbox: SandboxContext): ServiceImpl<typeof Filesystem> {
  const { paths, users } = sandbox;

  function userOf({ requestHeader }: HandlerContext): User {
    try {
      return users.ofAuthorization(requestHeader.get('authorization'));
    } catch (error) {
      throw toConnectError(error);
    }
  }

  function expand(path: string, context: HandlerContext): string {
    // What is left of bytes that were not UTF-8, which JSON is read without a complaint about.
    if (path.includes('\ufffd') && /json/.test(context.requestHeader.get('content-type') ?? '')) {
      throw new ConnectError(`path is not valid UTF-8: ${path}`, Code.InvalidArgument);
    }
    try {
      return expandPath(path, userOf(context), sandbox.workdir);
    } catch (error) {
      throw toConnectError(error);
    }
  }

  async function found(path: string): Promise<EntryInfo> {
    try {
      return await entryInfo(path, paths);
    } catch (error) {
      throw missingOr(error, `file not found: ${path}`, `error getting file info: ${path}`);
    }
  }

  return {
    ...watchMethods(paths, expand),

    async stat(request, context) {
      return { entry: await found(expand(request.path, context)) };
    },

    async listDir(request, context) {
      return { entries: await listDir(expand(request.path, context), request.depth, paths) };
    },

    async makeDir(request, context) {
      const path = expand(request.path, context);
      try {
        const target = await paths.target(path);
        const existing = await stat(target).catch((error) => {
          if (errnoOf(error) !== 'ENOENT') throw error;
        });
        if (existing?.isDirectory()) {
          throw new ConnectError(`directory already exists: ${path}`, Code.AlreadyExists);
        }
        if (existing) {
          throw new ConnectError(
            `path already exists but it is not a directory: ${path}`,
            Code.InvalidArgument,
          );
        }
        await ensureDirectories(target, userOf(context), paths.name);
      } catch (error) {
        if (errnoOf(error) === undefined) throw toConnectError(error);
        throw internal(`error getting file info: ${path}`, error);
      }
      return { entry: await found(path) };
    },

    async move(request, context) {
      const source = expand(request.source, context);
      const destination = expand(request.destination, context);
      try {
        const from = await paths.entry(source);
        const to = await paths.entry(destination);
        // Before the destination's parents appear for nothing.
        await lstat(from);
        await ensureDirectories(parentOf(to), userOf(context), paths.name);
        await requirePlace(from, to);
        await rename(from, to);
      } catch (error) {
        throw missingOr(error, `source file not found: ${source}`, `error renaming ${source}`);
      }
      return { entry: await found(destination) };
    },

    async remove(request, context) {
      const path = expand(request.path, context);
      try {
        await removeTree(await paths.entry(path));
      } catch (error) {
        if (errnoOf(error) === undefined) throw toConnectError(error);
        throw internal(`error removing file or directory ${path}`, error);
      }
      return {};
    },
  };
}

/**
 * Go's rename, which envd uses, does not put a directory into the place of an empty one, as rename(2) does. Only a
 * directory that goes by two names may be renamed to itself.
 */
async function requirePlace(from: string, to: string): Promise<void> {
  const there = await lstat(to).catch(() => undefined);
  if (!there?.isDirectory()) return;
  const moved = await lstat(from);
  if (from !== to && there.ino === moved.ino && there.dev === moved.dev) return;
  throw Object.assign(new Error('file exists'), { code: 'EEXIST' });
}

function missingOr(error: unknown, missing: string, otherwise: string): ConnectError {
  if (errnoOf(error) === undefined) return toConnectError(error);
  if (errnoOf(error) === 'ENOENT') {
    return new ConnectError(missing, Code.NotFound, undefined, undefined, error);
  }
  return internal(otherwise, error);
}

function internal(what: string, error: unknown): ConnectError {
  return new ConnectError(`${what}: ${reasonOf(error)}`, Code.Internal, undefined, undefined, error);
}
