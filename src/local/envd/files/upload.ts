import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { SandboxContext } from '../context.js';
import { HttpError } from '../errors.js';
import { expandPath } from '../paths.js';
import { metadataOfHeaders } from './metadata-headers.js';
import { boundaryOf, MultipartError, multipartParts, type Part } from './multipart.js';
import { requestedPath, requestedUser } from './query.js';
import { requestBody } from './request-body.js';
import { type Uploaded, type UploadSettings, writeFile } from './write-file.js';

/** `POST /files`: one file as the body, or any number of them as parts named `file`. */
export async function upload(
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  query: URLSearchParams,
  context: SandboxContext,
): Promise<void> {
  const body = await requestBody(request);
  const user = requestedUser(context.users, query.get('username'));
  const metadata = metadataOfHeaders(request.headers);
  const path = requestedPath(request.url, query);
  const settings = { user, metadata, paths: context.paths, length: lengthOf(request) };
  const expand = (name: string): string => expandPath(name, user, context.workdir);
  const contentType = request.headers['content-type'] ?? '';
  const mediaType = contentType.split(';', 1)[0]!.trim().toLowerCase();
  let uploaded: Uploaded[];
  if (mediaType === 'application/octet-stream') {
    if (path === null) throw new HttpError(400, 'path query parameter is required for raw body upload');
    uploaded = [await writeFile(expand(path), body, settings)];
  } else if (mediaType.startsWith('multipart/')) {
    uploaded = await writeParts(body, contentType, (part) => expand(path ?? nameOf(part)), settings);
  } else {
    throw new HttpError(
      400,
      `unsupported content type: ${contentType}, expected multipart/form-data or application/octet-stream`,
    );
  }
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  response.end(JSON.stringify(uploaded));
}

async function writeParts(
  body: AsyncIterable<Buffer>,
  contentType: string,
  destinationOf: (part: Part) => string,
  settings: UploadSettings,
): Promise<Uploaded[]> {
  const boundary = boundaryOf(contentType);
  if (!boundary) {
    throw new HttpError(500, 'error parsing multipart form: no multipart boundary param in Content-Type');
  }
  const uploaded: Uploaded[] = [];
  const taken = new Set<string>();
  try {
    for await (const part of multipartParts(body, boundary)) {
      if (part.name !== 'file') continue;
      const destination = destinationOf(part);
      if (taken.has(destination)) throw new HttpError(400, repeated(destination, taken));
      taken.add(destination);
      uploaded.push(await writeFile(destination, part.content, settings));
    }
  } catch (error) {
    if (!(error instanceof MultipartError)) throw error;
    throw new HttpError(500, `error reading form: ${error.message}`);
  }
  return uploaded;
}

function nameOf({ filename }: Part): string {
  if (filename !== undefined) return filename;
  throw new HttpError(
    400,
    'error getting multipart custom part file name: filename not found in Content-Disposition header',
  );
}

function repeated(destination: string, taken: ReadonlySet<string>): string {
  const others = [...taken].filter((path) => path !== destination);
  const also = others.length > 1 ? `, also the following files were uploaded: ${others.join(', ')}` : '';
  return `you cannot upload multiple files to the same path '${destination}' in one upload request, only the first specified file was uploaded${also}`;
}

function lengthOf(request: Http2ServerRequest): number | undefined {
  const header = request.headers['content-length'];
  return header === undefined ? undefined : Number(header);
}
