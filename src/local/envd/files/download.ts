import { constants as fsConstants, type Stats } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip, constants as zlib } from 'node:zlib';
import type { SandboxContext } from '../context.js';
import { errnoOf, HttpError, PathError, reasonOf } from '../errors.js';
import { expandPath } from '../paths.js';
import { acceptedEncoding, acceptsIdentity } from './encoding.js';
import { inlineDisposition } from './inline-disposition.js';
import { mediaTypeOf } from './media-types.js';
import { requestedPath, requestedUser } from './query.js';
import { readBytes, serveContent } from './serve-content.js';

/** With any of these the answer is never compressed. */
const conditionalHeaders = ['range', 'if-range', 'if-modified-since', 'if-none-match'];

/** `GET /files`: one file, compressed when the client ranks gzip best, or ranges of it. */
export async function download(
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  query: URLSearchParams,
  { paths, users, workdir }: SandboxContext,
): Promise<void> {
  const user = requestedUser(users, query.get('username'));
  const path = expandPath(requestedPath(request.url, query) ?? '', user, workdir);
  const { target, stats } = await locate(path, paths);
  const accept = request.headers['accept-encoding'] as string | undefined;
  const encoding = acceptedEncoding(accept);
  response.setHeader('vary', 'Accept-Encoding');
  const conditional = conditionalHeaders.some((name) => request.headers[name] !== undefined);
  if (conditional && !acceptsIdentity(accept)) {
    throw new HttpError(406, 'identity encoding not acceptable for Range or conditional request');
  }
  // Should a FIFO have come into its place, nobody waits for the other end.
  const file = await open(target, fsConstants.O_RDONLY | fsConstants.O_NONBLOCK).catch((error) => {
    throw new HttpError(500, `error opening file '${path}': ${reasonOf(error)}`);
  });
  try {
    response.setHeader('content-disposition', inlineDisposition(basename(path)));
    if (encoding === 'gzip' && !conditional) await sendCompressed(response, file, path);
    else await serveContent(request, response, file, { path, stats });
  } finally {
    await file.close();
  }
}

async function sendCompressed(response: Http2ServerResponse, file: FileHandle, path: string): Promise<void> {
  // What cannot be read at all, as much of /proc, is an answer still; later it is one that breaks off.
  await file.read(Buffer.alloc(1), 0, 1, 0);
  response.setHeader('content-encoding', 'gzip');
  response.setHeader('content-type', mediaTypeOf(path) ?? 'application/octet-stream');
  const source = file.createReadStream({ autoClose: false, highWaterMark: readBytes });
  // Fast rather than small: the other end is this machine.
  await pipeline(source, createGzip({ level: zlib.Z_BEST_SPEED }), response);
}

async function locate(
  path: string,
  paths: SandboxContext['paths'],
): Promise<{ target: string; stats: Stats }> {
  try {
    const target = await paths.target(path);
    const stats = await stat(target);
    if (stats.isDirectory()) throw new HttpError(400, `path '${path}' is a directory`);
    // A device may have no end, and of a FIFO one reader would take what is meant for another.
    if (!stats.isFile()) throw new HttpError(400, `path '${path}' is not a regular file`);
    return { target, stats };
  } catch (error) {
    if (error instanceof HttpError || error instanceof PathError) throw error;
    if (errnoOf(error) === 'ENOENT') throw new HttpError(404, `path '${path}' does not exist`);
    throw new HttpError(500, `error checking if path exists '${path}': ${reasonOf(error)}`);
  }
}
