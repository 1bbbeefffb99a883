import { InvalidArgumentError, SandboxError } from '../errors.js';
import { defaultRequestTimeoutMs } from '../transport/call-options.js';
import type { Connection } from '../transport/connection.js';
import { userName } from '../transport/user.js';
import type { FileType, WriteInfo } from '../wire/file-entry.js';
import type { FileOptions, WriteEntry } from './file-options.js';
import { type FileData, uploadBody } from './upload-body.js';

export interface WriteOptions extends FileOptions {
  /**
   * How long an upload may take, in milliseconds. Default 60 000 and 1 000 more for each 64 KB; none for a stream, which
   * takes as long as its source.
   */
  requestTimeoutMs?: number;
  /** Compresses on the way (envd 0.5.7 here). Default false. */
  gzip?: boolean;
  /** Labels to keep with the file (envd 0.6.2): printable ASCII, 4096 bytes in all. They replace those it had. */
  metadata?: Record<string, string>;
}

/** As many files of one call travel at the same time; more would only wait for one another. */
const parallelWrites = 6;

/** The slowest link on which an upload is not yet given up: 64 KB a second. */
const slowLinkBytesPerMs = 64;

/** Writes one file (`POST /files`). */
export async function writeFile(
  connection: Connection,
  path: string,
  data: FileData,
  options: WriteOptions,
): Promise<WriteInfo> {
  if (typeof path !== 'string' || path === '')
    throw new InvalidArgumentError('files.write: the path is empty.');
  const init = await uploadRequest(connection, path, data, options);
  const user = userName(connection, options.user);
  const query = { path, ...(user !== undefined && { username: user }) };
  const call = { ...options, requestTimeoutMs: options.requestTimeoutMs ?? uploadTimeoutMs(init.body) };
  const { response, toError, end } = await connection.file(call, 'files.write', query, init);
  try {
    return writeInfo(await response.json());
  } catch (error) {
    throw await toError(error);
  } finally {
    end();
  }
}

/** Writes several files, and ends with the first failure; those that were written stay. */
export async function writeFiles(
  connection: Connection,
  files: WriteEntry[],
  options: WriteOptions,
): Promise<WriteInfo[]> {
  const written: WriteInfo[] = [];
  const entries = files.entries();
  const lanes = Array.from({ length: Math.min(parallelWrites, files.length) }, async () => {
    for (const [index, { path, data }] of entries) {
      written[index] = await writeFile(connection, path, data, options);
    }
  });
  await Promise.all(lanes);
  return written;
}

/** The answer comes after the last byte, so a large upload gets more time; a stream takes as long as its source does. */
function uploadTimeoutMs(body: RequestInit['body']): number {
  if (body instanceof ReadableStream) return 0;
  const bytes =
    typeof body === 'string'
      ? body.length * 3
      : body instanceof Blob
        ? body.size
        : ArrayBuffer.isView(body) || body instanceof ArrayBuffer
          ? body.byteLength
          : 0;
  return defaultRequestTimeoutMs + Math.ceil(bytes / slowLinkBytesPerMs);
}

async function uploadRequest(
  connection: Connection,
  path: string,
  data: FileData,
  options: WriteOptions,
): Promise<RequestInit> {
  const { gzip = false, metadata } = options;
  const headers: Record<string, string> = {};
  if (metadata) {
    connection.requireEnvd('0.6.2', 'files.write with metadata');
    for (const [key, value] of Object.entries(metadata)) headers[`x-metadata-${key}`] = value;
  }
  if (!connection.hasEnvd('0.5.7')) {
    if (gzip) connection.requireEnvd('0.5.7', 'files.write with gzip');
    const form = new FormData();
    const { body } = await uploadBody(data, false, false);
    form.append('file', body instanceof Blob ? body : new Blob([body as BlobPart]), path);
    return { method: 'POST', headers, body: form };
  }
  headers['content-type'] = 'application/octet-stream';
  if (gzip) headers['content-encoding'] = 'gzip';
  return { method: 'POST', headers, ...(await uploadBody(data, gzip, connection.streamingUploads)) };
}

function writeInfo(body: unknown): WriteInfo {
  const entry: unknown = Array.isArray(body) ? body[0] : undefined;
  if (typeof entry !== 'object' || entry === null) {
    throw new SandboxError('envd answered an upload without naming the file.', { code: 'protocol_error' });
  }
  const { name, path, type, metadata } = entry as WriteInfo;
  return { name, path, ...(type && { type: type as FileType }), ...(metadata && { metadata }) };
}
