/** Passes files on, in both directions as streams: nothing of them is held here. */

import { openUpstream } from './envd-upstream.js';
import type { Exchange } from './exchange.js';
import type { FileGuard } from './file-guard.js';
import { guardUpload, openPassage } from './passage.js';
import { discard } from './read-body.js';
import { httpRefusal, invalidRequest } from './refusals.js';
import type { SessionClaims } from './session-token.js';
import { downloadStrictly } from './strict/download.js';
import { notInStrictMode } from './strict/program-error.js';
import { strictCall } from './strict/strict-call.js';
import { uploadStrictly } from './strict/upload.js';
import { upstreamError } from './upstream-error.js';

/** Asked of envd as the page asks; the rest of its headers stays here. */
const downloadHeaders = ['range', 'if-range', 'if-none-match', 'if-modified-since'];
const answerHeaders = [
  'accept-ranges',
  'content-disposition',
  'content-length',
  'content-range',
  'content-type',
  'etag',
  'last-modified',
];
const uploadTypes = /^(multipart\/form-data|application\/octet-stream)\s*(;|$)/i;

/** `GET /files?path=…` */
export async function download<Env>(
  exchange: Exchange<Env>,
  claims: SessionClaims,
  files: FileGuard,
): Promise<Response> {
  const { request } = exchange;
  return openPassage(exchange, claims, { kind: 'stream' }, async () => {
    const upstream = await openUpstream(exchange, claims);
    const path = await files.check(upstream, claims.g, pathOf(request), { ops: ['read'], follows: true });
    const response = claims.g.strict
      ? await downloadStrictly(strictCall(exchange, claims, upstream), path, request.headers)
      : await upstream.send(`files?${query(path, upstream.user)}`, {
          method: 'GET',
          headers: pick(request.headers, downloadHeaders),
          signal: request.signal,
        });
    return { response: await fileAnswer(response) };
  });
}

/** `POST /files?path=…` */
export async function upload<Env>(
  exchange: Exchange<Env>,
  claims: SessionClaims,
  files: FileGuard,
): Promise<Response> {
  const { request } = exchange;
  const contentType = request.headers.get('content-type') ?? '';
  if (!uploadTypes.test(contentType) || request.headers.has('content-encoding')) {
    throw httpRefusal(
      415,
      'unsupported_media_type',
      'A file is sent as multipart/form-data or application/octet-stream, not compressed.',
    );
  }
  const leave = exchange.limits.enter('stream', claims);
  try {
    const upstream = await openUpstream(exchange, claims);
    const path = await files.check(upstream, claims.g, pathOf(request), { ops: ['write'], follows: true });
    const metadata = [...request.headers.keys()].filter((name) => name.startsWith('x-metadata-'));
    if (claims.g.strict) {
      if (metadata.length > 0) throw notInStrictMode('give files metadata');
      if (!/^application\/octet-stream/i.test(contentType)) throw notInStrictMode('send files in a form');
      const size = request.headers.get('content-length');
      return await guardUpload(exchange, (body, signal) =>
        uploadStrictly({ ...strictCall(exchange, claims, upstream), signal }, path, body, size),
      );
    }
    const response = await guardUpload(exchange, (body, signal) =>
      upstream.send(`files?${query(path, upstream.user)}`, {
        method: 'POST',
        headers: { ...pick(request.headers, metadata), 'content-type': contentType },
        body: body ?? new Uint8Array(),
        signal,
      }),
    );
    return await fileAnswer(response);
  } finally {
    leave();
  }
}

/** `GET /health`: 204 where the sandbox runs. */
export async function health<Env>(exchange: Exchange<Env>, claims: SessionClaims): Promise<Response> {
  const upstream = await openUpstream(exchange, claims);
  const response = await upstream.send('health', {
    method: 'GET',
    headers: {},
    signal: exchange.request.signal,
  });
  if (!response.ok) throw await upstreamError(response, 'rpc');
  await discard(response);
  return new Response(null, { status: 204 });
}

/** Without a path envd takes the names of a form's parts for it, which nobody has looked at. */
function pathOf(request: Request): string {
  const [path, ...more] = new URL(request.url).searchParams.getAll('path');
  if (path === undefined || more.length > 0)
    throw invalidRequest('A file is named by exactly one `path` in the query.');
  return path;
}

function query(path: string, user: string | undefined): string {
  return new URLSearchParams({ path, ...(user !== undefined && { username: user }) }).toString();
}

async function fileAnswer(response: Response): Promise<Response> {
  if (!response.ok && response.status !== 304) throw await upstreamError(response, 'file');
  const headers = new Headers(pick(response.headers, answerHeaders));
  // What the runtime has unpacked is longer than what the header says.
  if (response.headers.has('content-encoding')) headers.delete('content-length');
  // A file of the sandbox is not a page of this site, whatever it says that it is.
  headers.set('content-security-policy', "default-src 'none'; sandbox");
  return new Response(response.body, { status: response.status, headers });
}

function pick(headers: Headers, names: readonly string[]): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = headers.get(name);
    if (value !== null) picked[name] = value;
  }
  return picked;
}
