/**
 * Which files a session may touch. envd works as root and follows symlinks, so a path prefix alone confines nothing: on
 * the way to a path each part is looked at, and where one is a symlink its target counts. A program in the sandbox
 * that puts a symlink there between the look and the call wins that race: a prefix confines the page, not programs.
 */

import { isE2BEdgeError } from '../errors.js';
import { Filesystem } from '../wire/messages/filesystem.js';
import type { FileGrant } from '../wire/session.js';
import { createBoundedCache } from './bounded-cache.js';
import type { Upstream } from './envd-upstream.js';
import { allowsFile, type FullGrant } from './grant.js';
import { invalidRequest, notGranted, upstreamFailed } from './refusals.js';
import { isWithin, normalizePath, pathsOnTheWay } from './sandbox-path.js';

/** What is wanted of a path. */
export interface FileAccess {
  ops: readonly FileGrant['op'][];
  /** Whether envd, given a symlink, goes to its target. It removes and renames the link itself. */
  follows: boolean;
}

export interface FileGuard {
  /** The absolute path to hand to envd. Rejects where the session may not. */
  check(upstream: Upstream, grant: FullGrant, path: string, access: FileAccess): Promise<string>;
  /** Where a path leads; an empty one is the template's working directory. */
  realPath(upstream: Upstream, path: string): Promise<string>;
}

/** Each part is a call to envd, so one request of a page must not become thousands. */
const maxParts = 64;
/** A symlink leads to a path without any, so a second one on the way means that somebody is at it right now. */
const maxLinks = 8;
const baseMs = 300_000;
const maxBases = 1000;

export function createFileGuard(): FileGuard {
  const bases = createBoundedCache<string>(baseMs, maxBases);

  /** What envd makes of `~`, or of no path at all. */
  async function base(upstream: Upstream, path: '~' | ''): Promise<string> {
    const key = JSON.stringify([upstream.sandboxId, upstream.user ?? null, path]);
    const known = bases.get(key);
    if (known !== undefined) return known;
    const absolute = (await upstream.call(Filesystem.stat, { path }))?.entry?.path;
    if (!absolute?.startsWith('/')) throw upstreamFailed(new Error('envd did not tell the home directory'));
    bases.set(key, absolute);
    return absolute;
  }

  const absolutePath = (upstream: Upstream, path: string): Promise<string> =>
    normalizePath(path, () => base(upstream, '~'));

  return {
    async check(upstream, grant, path, { ops, follows }) {
      const absolute = await absolutePath(upstream, path);
      requireOps(grant, ops, absolute);
      // The programs of strict mode look where they are.
      if (grant.strict) return absolute;
      // Where all is granted, symlinks lead nowhere else.
      if (ops.every((op) => grant.files.some((file) => file.op === op && file.prefix === '/')))
        return absolute;
      requireOps(grant, ops, await resolveLinks(upstream, absolute, follows));
      return absolute;
    },
    async realPath(upstream, path) {
      const absolute = path === '' ? await base(upstream, '') : await absolutePath(upstream, path);
      return resolveLinks(upstream, absolute, true);
    },
  };
}

function requireOps(grant: FullGrant, ops: readonly FileGrant['op'][], path: string): void {
  for (const op of ops) {
    if (!allowsFile(grant, op, path)) throw notGranted(`${op} this path`);
  }
}

/** Where a path leads. What does not exist (yet) leads to itself. */
async function resolveLinks(upstream: Upstream, path: string, follows: boolean): Promise<string> {
  let resolved = path;
  for (let links = 0; links < maxLinks; links++) {
    const way = pathsOnTheWay(resolved);
    if (way.length > maxParts) throw invalidRequest(`The path has more than ${maxParts} parts.`);
    const parts = follows ? way : way.slice(0, -1);
    const places = await Promise.all(parts.map((part) => lookAt(upstream, part)));
    const index = places.findIndex(({ target }) => target !== undefined);
    const place = places[index];
    // What is behind a symlink is not told of, not even how it fails.
    const failed = places.slice(0, place && index).find(({ error }) => error);
    if (failed) {
      const isBehind = links > 0 && isE2BEdgeError(failed.error, 'internal');
      throw isBehind ? notGranted('use this path') : failed.error;
    }
    if (place?.target === undefined) return resolved;
    const { path: link, target } = place;
    // envd names the link itself where it leads to nothing or in circles.
    if (!target.startsWith('/') || isWithin(target, link))
      throw notGranted('use a symlink that leads nowhere');
    resolved = `${target === '/' ? '' : target}${resolved.slice(link.length)}`;
  }
  throw notGranted('use a path with so many symlinks');
}

interface PlaceOnTheWay {
  path: string;
  /** Where it leads, if it is a symlink. */
  target?: string | undefined;
  /** Why there is no telling. */
  error?: unknown;
}

async function lookAt(upstream: Upstream, path: string): Promise<PlaceOnTheWay> {
  try {
    return { path, target: (await upstream.call(Filesystem.stat, { path }))?.entry?.symlinkTarget };
  } catch (error) {
    return { path, error };
  }
}
