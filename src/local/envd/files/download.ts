import { createReadStream, type Stats } from 'node:fs';
import { access, constants as fsConstants, stat } from 'node:fs/promises';
import { constants, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip, constants as zlib } from 'node:zlib';
import type { SandboxContext } from '../context.js';
import { errnoOf, HttpError, PathError, reasonOf } from '../errors.js';
import { expandPath } from '../paths.js';
import { contentTypeOfFile, contentTypeOfName } from './content-type.js';
import { acceptedEncoding, acceptsIdentity } from './encoding.js';
import { requestedUser } from './query.js';
import { type ByteRange, parseRange } from './range.js';

const readBytes = 256 << 10;
const conditionalHeaders = ['range', 'if-range', 'if-modified-since', 'if-none-match'];

/** `GET /files`: one file, compressed when the client ranks gzip best, or a range of it. */
export async function download(
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  query: URLSearchParams,
  { paths, users, workdir }: SandboxContext,
): Promise<void> {
  const path = expandPath(query.get('path') ?? '', requestedUser(users, query.get('username')), workdir);
  const { target, stats } = await locate(path, paths);
  const accept = request.headers['accept-encoding'] as string | undefined;
  const encoding = acceptedEncoding(accept);
  response.setHeader('vary', 'Accept-Encoding');
  const conditional = conditionalHeaders.some((name) => request.headers[name] !== undefined);
  if (conditional && !acceptsIdentity(accept)) {
    throw new HttpError(406, 'identity encoding not acceptable for Range or conditional request');
  }
  await access(target, fsConstants.R_OK).catch((error) => {
    throw new HttpError(500, `error opening file '${path}': ${reasonOf(error)}`);
  });
  response.setHeader('content-disposition', disposition(basename(path)));
  if (encoding === 'gzip' && !conditional) {
    response.setHeader('content-encoding', 'gzip');
    response.setHeader('content-type', contentTypeOfName(path) ?? 'application/octet-stream');
    const source = createReadStream(target, { highWaterMark: readBytes });
    // Fast rather than small: the other end is this machine.
    await pipeline(source, createGzip({ level: zlib.Z_BEST_SPEED }), response);
    return;
  }
  await serve(request, response, target, stats);
}

async function locate(
  path: string,
  paths: SandboxContext['paths'],
): Promise<{ target: string; stats: Stats }> {
  try {
    const target = await paths.target(path);
    const stats = await stat(target);
    if (stats.isDirectory()) throw new HttpError(400, `path '${path}' is a directory`);
    // Opening a FIFO waits for its other end, and a device may have no end at all.
    if (!stats.isFile()) throw new HttpError(400, `path '${path}' is not a regular file`);
    return { target, stats };
  } catch (error) {
    if (error instanceof HttpError || error instanceof PathError) throw error;
    if (errnoOf(error) === 'ENOENT') throw new HttpError(404, `path '${path}' does not exist`);
    throw new HttpError(500, `error checking if path exists '${path}': ${reasonOf(error)}`);
  }
}

async function serve(
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  target: string,
  stats: Stats,
): Promise<void> {
  const modified = Math.floor(stats.mtimeMs / 1000) * 1000;
  response.setHeader('last-modified', new Date(modified).toUTCString());
  response.setHeader('accept-ranges', 'bytes');
  if (isUnchanged(request, modified)) {
    response.writeHead(304).end();
    return;
  }
  const ifRange = request.headers['if-range'] as string | undefined;
  const rangeHolds = ifRange === undefined || Date.parse(ifRange) === modified;
  const range = rangeHolds ? parseRange(request.headers.range, stats.size) : undefined;
  if (range === 'invalid') throw new HttpError(416, 'invalid range');
  if (range === 'unsatisfiable') {
    response.setHeader('content-range', `bytes */${stats.size}`);
    throw new HttpError(416, 'invalid range: failed to overlap');
  }
  response.setHeader('content-type', await contentTypeOfFile(target));
  const sent = range ?? { start: 0, end: stats.size - 1 };
  const length = sent.end - sent.start + 1;
  response.setHeader('content-length', length);
  if (range) response.setHeader('content-range', `bytes ${range.start}-${range.end}/${stats.size}`);
  response.writeHead(range ? 206 : 200);
  if (length === 0) response.end();
  else await send(response, target, sent, length);
}

/** There are no entity tags, so of those only `*` can match. */
function isUnchanged(request: Http2ServerRequest, modified: number): boolean {
  const tags = request.headers['if-none-match'];
  if (tags !== undefined) return tags.trim() === '*';
  return Date.parse(request.headers['if-modified-since'] ?? '') >= modified;
}

async function send(
  response: Http2ServerResponse,
  target: string,
  range: ByteRange,
  length: number,
): Promise<void> {
  const source = createReadStream(target, { ...range, highWaterMark: readBytes });
  await pipeline(source, response, { end: false });
  // The file shrank meanwhile. An orderly end would leave the client waiting for the rest.
  if (source.bytesRead < length) response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  else response.end();
}

/** Quoted when needed, and in the extended form when it is not plain ASCII. */
function disposition(name: string): string {
  if (/^[\w!#$%&'*+.^`|~-]+$/.test(name)) return `inline; filename=${name}`;
  if (/^[\x20-\x7e]*$/.test(name)) return `inline; filename="${name.replace(/["\\]/g, '\\$&')}"`;
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
  return `inline; filename*=utf-8''${encoded}`;
}
