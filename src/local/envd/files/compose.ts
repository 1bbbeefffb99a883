import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { basename, dirname, join } from 'node:path';
import type { SandboxContext } from '../context.js';
import { errnoOf, HttpError, reasonOf } from '../errors.js';
import { ensureDirectories, parentOf } from '../filesystem/ensure-directories.js';
import { expandPath } from '../paths.js';
import { readJson } from '../read-json.js';
import { ownershipOf, type User } from '../users.js';
import { requestedUser } from './query.js';
import { writeAll } from './write-file.js';

const readBytes = 256 << 10;

interface ComposeRequest {
  readonly sources: readonly string[];
  readonly destination: string;
  readonly username: string | undefined;
}

/** `POST /files/compose`: joins files into one, which appears all at once, and removes them. */
export async function compose(
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  { paths, users, workdir }: SandboxContext,
): Promise<void> {
  const asked = validated(await readJson(request));
  const user = requestedUser(users, asked.username);
  const destination = expandPath(asked.destination, user, workdir);
  const target = await paths.target(destination);
  const sources: string[] = [];
  for (const path of asked.sources) {
    const source = await paths.target(expandPath(path, user, workdir));
    if (source === target) throw new HttpError(400, `source path '${path}' is the destination`);
    await requireFile(source, path);
    sources.push(source);
  }
  await ensureDirectories(parentOf(target), user, paths.name).catch((error) => {
    throw new HttpError(500, `error ensuring directories: ${reasonOf(error)}`);
  });
  // Not made of the destination's name, which may be as long as a name can be.
  const partial = join(dirname(target), `.e2b-compose.${randomUUID()}.tmp`);
  try {
    await concatenate(sources, partial, user);
    await rename(partial, target);
  } catch (error) {
    await rm(partial, { force: true });
    if (errnoOf(error) === 'ENOSPC') throw new HttpError(507, 'not enough disk space available');
    throw new HttpError(500, `error composing '${destination}': ${reasonOf(error)}`);
  }
  for (const source of sources) await rm(source, { force: true });
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ path: destination, name: basename(destination), type: 'file' }));
}

async function concatenate(sources: readonly string[], path: string, user: User): Promise<void> {
  const file = await open(path, 'wx', 0o666);
  try {
    const owner = ownershipOf(user);
    if (owner) await file.chown(owner.uid, owner.gid);
    for (const source of sources)
      await writeAll(file, createReadStream(source, { highWaterMark: readBytes }));
  } finally {
    await file.close();
  }
}

function validated(body: unknown): ComposeRequest {
  const { source_paths: sources, destination, username } = (body ?? {}) as Record<string, unknown>;
  if (!Array.isArray(sources) || sources.length === 0 || !sources.every((path) => typeof path === 'string')) {
    throw new HttpError(400, 'source_paths must be a list of at least one path');
  }
  if (typeof destination !== 'string' || destination === '') {
    throw new HttpError(400, 'destination is required');
  }
  if (username != null && typeof username !== 'string') {
    throw new HttpError(400, 'username must be a string');
  }
  return { sources, destination, username: username ?? undefined };
}

async function requireFile(source: string, path: string): Promise<void> {
  const stats = await stat(source).catch((error) => {
    throw new HttpError(404, `source file not found: ${path}: ${reasonOf(error)}`);
  });
  if (!stats.isFile()) throw new HttpError(400, `source path is not a regular file: ${path}`);
}
