import type { Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { byteranges, contentRange } from './byteranges.js';
import { checkConditions, rangeHolds } from './conditions.js';
import { mediaTypeOf } from './media-types.js';
import { type ByteRange, parseRanges } from './range.js';
import { sniffedBytes, sniffedType } from './sniffed-type.js';

/** Read at once of a file. */
export const readBytes: number = 256 << 10;

/** A file as it is found. */
export interface Found {
  readonly path: string;
  readonly stats: Stats;
}

/** Answers with an open file, or what the request's conditions and ranges leave of it, as Go's `ServeContent` does. */
export async function serveContent(
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  file: FileHandle,
  { path, stats }: Found,
): Promise<void> {
  const seconds = Math.floor(stats.mtimeMs / 1000);
  const modified = seconds === 0 ? undefined : seconds * 1000;
  if (modified !== undefined) response.setHeader('last-modified', new Date(modified).toUTCString());
  const verdict = checkConditions(request.headers, modified);
  if (verdict !== 'send') {
    response.writeHead(verdict === 'unchanged' ? 304 : 412).end();
    return;
  }
  const type = mediaTypeOf(path) ?? (await typeByContent(file));
  const asked = rangeHolds(request.headers, modified) ? request.headers.range : undefined;
  const ranges = parseRanges(asked, stats.size);
  if (ranges === 'invalid' || ranges === 'unsatisfiable') {
    refuseRange(response, ranges === 'invalid' ? undefined : stats.size);
    return;
  }
  response.setHeader('accept-ranges', 'bytes');
  const [first, second] = ranges;
  if (second) {
    await sendRanges(response, file, ranges, type, stats.size);
    return;
  }
  const sent = first ?? { start: 0, length: stats.size };
  response.setHeader('content-type', type);
  response.setHeader('content-length', sent.length);
  if (first) response.setHeader('content-range', contentRange(first, stats.size));
  response.writeHead(first ? 206 : 200);
  await send(response, file, sent);
  response.end();
}

async function typeByContent(file: FileHandle): Promise<string> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(sniffedBytes), 0, sniffedBytes, 0);
  return sniffedType(buffer.subarray(0, bytesRead));
}

/** The one failure that Go words itself, in plain text. */
function refuseRange(response: Http2ServerResponse, size: number | undefined): void {
  response.removeHeader('last-modified');
  if (size !== undefined) response.setHeader('content-range', `bytes */${size}`);
  response.writeHead(416, {
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
  });
  response.end(size === undefined ? 'invalid range\n' : 'invalid range: failed to overlap\n');
}

async function sendRanges(
  response: Http2ServerResponse,
  file: FileHandle,
  ranges: readonly ByteRange[],
  type: string,
  size: number,
): Promise<void> {
  const body = byteranges(ranges, type, size);
  response.writeHead(206, { 'content-type': body.contentType, 'content-length': body.length });
  for (const { head, range } of body.parts) {
    response.write(head);
    await send(response, file, range);
  }
  response.end(body.end);
}

/** Writes bytes of the file, no faster than they are read. Rejects when the file has become shorter. */
async function send(response: Http2ServerResponse, file: FileHandle, range: ByteRange): Promise<void> {
  if (range.length === 0) return;
  const { start, length } = range;
  const source = file.createReadStream({
    start,
    end: start + length - 1,
    autoClose: false,
    highWaterMark: readBytes,
  });
  let left = length;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    left -= chunk.length;
    if (!response.write(chunk)) await drained(response);
  }
  if (left > 0) throw new Error(`the file ended ${left} bytes early`);
}

/** Rejects when the client has gone, who will never make room. */
function drained(response: Http2ServerResponse): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      response.off('drain', settle);
      response.off('close', settle);
      if (response.destroyed || response.stream?.destroyed) reject(new Error('the client has gone'));
      else resolve();
    };
    response.once('drain', settle);
    response.once('close', settle);
  });
}
