import { InvalidArgumentError, SandboxError } from '../errors.js';
import type { Connection } from '../transport/connection.js';
import { readJson } from '../transport/http-error.js';
import { userName } from '../transport/user.js';
import type { FileType, WriteInfo } from '../wire/file-entry.js';
import { checkedPath, type FileOptions, type WriteEntry } from './file-options.js';
import { type FileData, uploadBody } from './upload-body.js';

export interface WriteOptions extends FileOptions {
  /**
   * How long an upload may take, in milliseconds. Default: the sandbox's, and 1 000 more for each 64 KB; none for a
   * stream, which takes as long as its source.
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
  checkedPath(path, 'files.write');
  const init = await uploadRequest(connection, path, data, options);
  const user = userName(connection, options.user);
  const query = { path, ...(user !== undefined && { username: user }) };
  const call = {
    ...options,
    requestTimeoutMs: options.requestTimeoutMs ?? uploadTimeoutMs(connection, init.body),
  };
  const { response, toError, end } = await connection.file(call, 'files.write', query, init);
  try {
    return writeInfo(await readJson(response));
  } catch (error) {
    throw await toError(error);
  } finally {
    end();
  }
}

/**
 * Writes several files. After a failure no other is begun, and the first failure is thrown when those under way have
 * ended too; those that were written stay.
 */
export async function writeFiles(
  connection: Connection,
  files: WriteEntry[],
  options: WriteOptions,
): Promise<WriteInfo[]> {
  const written: WriteInfo[] = [];
  const failures: unknown[] = [];
  const entries = files.entries();
  const lanes = Array.from({ length: Math.min(parallelWrites, files.length) }, async () => {
    for (const [index, { path, data }] of entries) {
      if (failures.length > 0) return;
      try {
        written[index] = await writeFile(connection, path, data, options);
      } catch (error) {
        failures.push(error);
      }
    }
  });
  await Promise.all(lanes);
  if (failures.length > 0) throw failures[0];
  return written;
}

/** The answer comes after the last byte, so a large upload gets more time; a stream takes as long as its source does. */
function uploadTimeoutMs({ requestTimeoutMs }: Connection, body: RequestInit['body']): number {
  if (body instanceof ReadableStream || requestTimeoutMs === 0) return 0;
  const bytes =
    typeof body === 'string'
      ? body.length * 3
      : body instanceof Blob
        ? body.size
        : ArrayBuffer.isView(body) || body instanceof ArrayBuffer
          ? body.byteLength
          : 0;
  return requestTimeoutMs + Math.ceil(bytes / slowLinkBytesPerMs);
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
    for (const [key, value] of Object.entries(metadata)) {
      headers[`x-metadata-${checkedLabel(key, value)}`] = value;
    }
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

/** A header cannot carry more. */
function checkedLabel(key: string, value: string): string {
  if (/^[\w!#$%&'*+.^`|~-]+$/.test(key) && typeof value === 'string' && /^[ -~]*$/.test(value)) return key;
  throw new InvalidArgumentError(
    `files.write: the metadata "${key}": keys are letters, digits and "-_.", values are printable ASCII.`,
  );
}

function writeInfo(body: unknown): WriteInfo {
  const entry: unknown = Array.isArray(body) ? body[0] : undefined;
  if (typeof entry !== 'object' || entry === null) {
    throw new SandboxError('envd answered an upload without naming the file.', { code: 'protocol_error' });
  }
  const { name, path, type, metadata } = entry as WriteInfo;
  return { name, path, ...(type && { type: type as FileType }), ...(metadata && { metadata }) };
}
