import { createWriteStream } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { basename, dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { SandboxContext } from '../context.js';
import { errnoOf, HttpError, reasonOf } from '../errors.js';
import { expandPath } from '../paths.js';
import type { User } from '../users.js';
import { boundaryOf, multipartParts } from './multipart.js';
import { requestedUser } from './query.js';

interface Uploaded {
  readonly path: string;
  readonly name: string;
  readonly type: 'file';
}

/** `POST /files`: one file as the body, or any number of them as parts named `file`. */
export async function upload(
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  query: URLSearchParams,
  context: SandboxContext,
): Promise<void> {
  const body = await decoded(request);
  const user = requestedUser(context.users, query.get('username'));
  const uploaded = await store(request, body, query.get('path'), user, context);
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  response.end(JSON.stringify(uploaded));
}

async function store(
  request: Http2ServerRequest,
  body: AsyncIterable<Buffer>,
  path: string | null,
  user: User,
  context: SandboxContext,
): Promise<Uploaded[]> {
  const contentType = request.headers['content-type'] ?? '';
  const mediaType = contentType.split(';', 1)[0]!.trim().toLowerCase();
  if (mediaType === 'application/octet-stream') {
    if (path === null) throw new HttpError(400, 'path query parameter is required for raw body upload');
    const destination = expandPath(path, user, context.workdir);
    return [await writeFile(destination, body, request, context)];
  }
  if (mediaType.startsWith('multipart/')) {
    return storeParts(
      request,
      body,
      contentType,
      (name) => expandPath(path ?? name, user, context.workdir),
      context,
    );
  }
  throw new HttpError(
    400,
    `unsupported content type: ${contentType}, expected multipart/form-data or application/octet-stream`,
  );
}

async function storeParts(
  request: Http2ServerRequest,
  body: AsyncIterable<Buffer>,
  contentType: string,
  destinationOf: (filename: string) => string,
  context: SandboxContext,
): Promise<Uploaded[]> {
  const boundary = boundaryOf(contentType);
  if (!boundary) {
    throw new HttpError(500, 'error parsing multipart form: no multipart boundary param in Content-Type');
  }
  const uploaded: Uploaded[] = [];
  try {
    for await (const part of multipartParts(body, boundary)) {
      if (part.name !== 'file') continue;
      const destination = destinationOf(part.filename ?? '');
      if (part.filename === undefined && destinationOf('a') !== destinationOf('b')) {
        throw new HttpError(400, 'error getting multipart custom part file name: filename not found');
      }
      if (uploaded.some(({ path }) => path === destination)) {
        throw new HttpError(
          400,
          `you cannot upload multiple files to the same path '${destination}' in one upload request, only the first specified file was uploaded`,
        );
      }
      uploaded.push(await writeFile(destination, part.content, request, context));
    }
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('multipart: ')) {
      throw new HttpError(500, `error reading form: ${error.message}`);
    }
    throw error;
  }
  return uploaded;
}

async function writeFile(
  path: string,
  content: AsyncIterable<Buffer>,
  request: Http2ServerRequest,
  { paths }: SandboxContext,
): Promise<Uploaded> {
  const target = await paths.target(path);
  await mkdir(dirname(target), { recursive: true, mode: 0o755 }).catch((error) => {
    // mkdir -p says EEXIST where the directory itself is a file, and ENOTDIR above that.
    const isFile = errnoOf(error) === 'EEXIST' || errnoOf(error) === 'ENOTDIR';
    const reason = isFile ? `path is a file: ${dirname(path)}` : reasonOf(error);
    throw new HttpError(500, `error ensuring directories: ${reason}`);
  });
  const existing = await stat(target).catch(() => undefined);
  if (existing?.isDirectory()) throw new HttpError(400, `path is a directory: ${path}`);
  try {
    await pipeline(content, createWriteStream(target, { flags: 'w', mode: 0o666 }));
  } catch (error) {
    throw writeError(error, request);
  }
  return { path, name: basename(path), type: 'file' };
}

function writeError(error: unknown, request: Http2ServerRequest): unknown {
  if (error instanceof HttpError || errnoOf(error) === undefined) return error;
  if (errnoOf(error) !== 'ENOSPC') return new HttpError(500, `error writing file: ${reasonOf(error)}`);
  const length = request.headers['content-length'];
  const attempted = length ? `attempted to write ${length} bytes: ` : '';
  return new HttpError(507, `${attempted}not enough disk space available`);
}

/** The body without its `Content-Encoding`. Rejects at once when it is not what that says. */
async function decoded(request: Http2ServerRequest): Promise<AsyncIterable<Buffer>> {
  const encoding = ((request.headers['content-encoding'] as string | undefined) ?? '').trim().toLowerCase();
  if (encoding === '' || encoding === 'identity') return request;
  if (encoding !== 'gzip') {
    throw new HttpError(400, `error decompressing request body: unsupported Content-Encoding: ${encoding}`);
  }
  const gunzip = createGunzip();
  void pipeline(request, gunzip).catch(() => {});
  const chunks: AsyncIterator<Buffer> = gunzip[Symbol.asyncIterator]();
  // Before the file is opened, and so emptied.
  const first = await chunks.next().catch((error) => {
    throw new HttpError(400, `error decompressing request body: ${reasonOf(error)}`);
  });
  return (async function* () {
    for (let next = first; !next.done; next = await chunks.next()) yield next.value;
  })();
}
