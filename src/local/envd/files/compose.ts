import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { SandboxContext } from '../context.js';
import { errnoOf, HttpError, reasonOf } from '../errors.js';
import { expandPath } from '../paths.js';
import { readJson } from '../read-json.js';
import { requestedUser } from './query.js';

interface ComposeRequest {
  readonly source_paths: readonly string[];
  readonly destination: string;
  readonly username?: string;
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
  for (const path of asked.source_paths) {
    const source = await paths.target(expandPath(path, user, workdir));
    if (source === target) throw new HttpError(400, `source path '${path}' is the destination`);
    await requireFile(source, path);
    sources.push(source);
  }
  await mkdir(dirname(target), { recursive: true, mode: 0o755 });
  const partial = join(dirname(target), `.${basename(target)}.${randomUUID()}`);
  try {
    for (const source of sources) {
      await pipeline(createReadStream(source), createWriteStream(partial, { flags: 'a', mode: 0o666 }));
    }
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

function validated(body: unknown): ComposeRequest {
  const { source_paths: sources, destination, username } = (body ?? {}) as Partial<ComposeRequest>;
  if (!Array.isArray(sources) || sources.length === 0 || sources.some((path) => typeof path !== 'string')) {
    throw new HttpError(400, 'source_paths must be a list of at least one path');
  }
  if (typeof destination !== 'string' || destination === '')
    throw new HttpError(400, 'destination is required');
  if (username !== undefined && typeof username !== 'string')
    throw new HttpError(400, 'username must be a string');
  return { source_paths: sources, destination, ...(username !== undefined && { username }) };
}

async function requireFile(source: string, path: string): Promise<void> {
  const stats = await stat(source).catch((error) => {
    if (errnoOf(error) === 'ENOENT') throw new HttpError(404, `source path '${path}' does not exist`);
    throw new HttpError(500, `error checking source path '${path}': ${reasonOf(error)}`);
  });
  if (!stats.isFile()) throw new HttpError(400, `source path '${path}' is not a regular file`);
}
