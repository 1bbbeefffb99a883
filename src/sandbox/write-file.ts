import { InvalidArgumentError, SandboxError } from '../errors.js';
import { check, checkOptions, flag, type Rules, textMap } from '../transport/check-options.js';
import type { Connection } from '../transport/connection.js';
import { readJson } from '../transport/http-error.js';
import { userName } from '../transport/user.js';
import { envdVersions } from '../transport/version.js';
import type { FileType, WriteInfo } from '../wire/file-entry.js';
import { checkPath, type FileOptions, fileRules } from './file-options.js';
import { type FileData, fileData, uploadBody, uploadSize } from './upload-body.js';

/** A file to write. */
export interface WriteEntry {
  path: string;
  data: FileData;
}

export interface WriteOptions extends FileOptions {
  /**
   * How long an upload may take, in milliseconds. Default: the sandbox's, and 1 000 more for each 64 KB; none for a
   * stream, which takes as long as its source.
   */
  requestTimeoutMs?: number;
  /** Compresses on the way (envd 0.5.7; an older one gets it as it is). Brokers take nothing compressed. Default false. */
  gzip?: boolean;
  /**
   * Whether the bare bytes are sent (envd 0.5.7), or a form (`multipart/form-data`), for which a stream is gathered
   * first. Default: the bare bytes where envd takes them. What is compressed is always sent so.
   */
  useOctetStream?: boolean;
  /**
   * Labels to keep with the file (envd 0.6.2): printable ASCII, 4096 bytes in all, keys in small letters when they are
   * read. They replace those it had; writing without any removes them.
   */
  metadata?: Record<string, string>;
}

const writeRules: Rules<WriteOptions> = {
  ...fileRules,
  gzip: flag,
  useOctetStream: flag,
  metadata: textMap,
};

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
  checkWrite(connection, [{ path, data }], options);
  return upload(connection, { path, data }, options);
}

/**
 * Writes several files. After a failure no other is begun, and the first failure is thrown when those under way have
 * ended too; those that were written stay.
 */
export async function writeFiles(
  connection: Connection,
  files: WriteEntry[],
  options: WriteOptions = {},
): Promise<WriteInfo[]> {
  check('files.write: files', files, ['an array of { path, data }', Array.isArray]);
  checkWrite(connection, files, options);
  const written: WriteInfo[] = [];
  const failures: unknown[] = [];
  const entries = files.entries();
  const lanes = Array.from({ length: Math.min(parallelWrites, files.length) }, async () => {
    for (const [index, entry] of entries) {
      if (failures.length > 0) return;
      try {
        written[index] = await upload(connection, entry, options);
      } catch (error) {
        failures.push(error);
      }
    }
  });
  await Promise.all(lanes);
  if (failures.length > 0) throw failures[0];
  return written;
}

async function upload(
  connection: Connection,
  { path, data }: WriteEntry,
  options: WriteOptions,
): Promise<WriteInfo> {
  const takesBytes = connection.hasEnvd(envdVersions.rawUpload);
  const gzip = takesBytes && options.gzip === true;
  const multipart = !takesBytes || (options.useOctetStream === false && !gzip);
  const mode = { multipart, gzip, streaming: connection.streamingUploads };
  const body = await uploadBody(data, mode, options.signal);
  const headers: Record<string, string> = {};
  if (!multipart) headers['content-type'] = 'application/octet-stream';
  if (gzip) headers['content-encoding'] = 'gzip';
  for (const [key, value] of Object.entries(options.metadata ?? {})) headers[`x-metadata-${key}`] = value;

  const user = userName(connection, options.user);
  const query = { path, ...(user !== undefined && { username: user }) };
  const call = {
    ...options,
    requestTimeoutMs: options.requestTimeoutMs ?? uploadTimeoutMs(connection, body.body),
  };
  const init = { method: 'POST', headers, ...body };
  const { response, toError, end } = await connection.file(call, 'files.write', query, init);
  try {
    return writeInfo(await readJson(response));
  } catch (error) {
    throw await toError(error);
  } finally {
    end();
  }
}

/** The answer comes after the last byte, so a large upload gets more time; a stream takes as long as its source does. */
function uploadTimeoutMs({ requestTimeoutMs }: Connection, body: RequestInit['body']): number {
  if (body instanceof ReadableStream || requestTimeoutMs === 0) return 0;
  return requestTimeoutMs + Math.ceil(uploadSize(body) / slowLinkBytesPerMs);
}

/** All of them before the first is sent. */
function checkWrite(connection: Connection, files: WriteEntry[], options: WriteOptions): void {
  checkOptions('files.write', options, writeRules);
  const paths = new Set<string>();
  for (const file of files) {
    const { path, data } = file ?? {};
    checkPath('files.write', path);
    check(`files.write: the data of ${path}`, data, fileData);
    // They would travel side by side, and nobody could tell which of them stays.
    if (paths.has(path)) throw new InvalidArgumentError(`files.write: ${path} is there twice.`);
    paths.add(path);
  }
  const { metadata = {} } = options;
  const keys = Object.keys(metadata);
  if (keys.length === 0) return;
  connection.requireEnvd(envdVersions.fileMetadata, 'files.write with metadata');
  for (const key of keys) checkLabel(key, metadata[key] as string);
  if (new Set(keys.map((key) => key.toLowerCase())).size < keys.length) {
    throw new InvalidArgumentError('files.write: two keys of the metadata differ in capitals alone.');
  }
}

/** A header cannot carry more. */
function checkLabel(key: string, value: string): void {
  if (/^[\w!#$%&'*+.^`|~-]+$/.test(key) && /^[ -~]*$/.test(value)) return;
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
