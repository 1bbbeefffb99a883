import { checkOptions, flag, milliseconds, oneOf, type Rules } from '../transport/check-options.js';
import type { Connection } from '../transport/connection.js';
import { guardBody } from '../transport/guard-body.js';
import { userName } from '../transport/user.js';
import { checkPath, type FileOptions, fileRules } from './file-options.js';

/** What a file can be read as. */
export interface ReadFormats {
  text: string;
  bytes: Uint8Array;
  blob: Blob;
  stream: ReadableStream<Uint8Array>;
}

export interface ReadOptions extends FileOptions {
  /** Default `text`. */
  format?: keyof ReadFormats;
  /**
   * Lets the answer be compressed (envd 0.5.3). Default false: a compressed answer has no length, so that one that broke
   * off looks whole.
   */
  gzip?: boolean;
  /** The longest wait for the next bytes, in milliseconds. Default `requestTimeoutMs`; 0 for ever. */
  streamIdleTimeoutMs?: number;
}

const readRules: Rules<ReadOptions> = {
  ...fileRules,
  format: oneOf('text', 'bytes', 'blob', 'stream'),
  gzip: flag,
  streamIdleTimeoutMs: milliseconds,
};

/** Reads a file (`GET /files`). */
export async function readFile(
  connection: Connection,
  path: string,
  options: ReadOptions,
): Promise<ReadFormats[keyof ReadFormats]> {
  checkPath('files.read', path);
  checkOptions('files.read', options, readRules);
  const { format = 'text', gzip = false } = options;
  const user = userName(connection, options.user);
  const query = { path, ...(user !== undefined && { username: user }) };
  // A range makes envd answer uncompressed and with a length, also where a page cannot ask for that by name.
  const headers: Record<string, string> = gzip ? {} : { range: 'bytes=0-' };
  const { response, toError, end } = await connection.file(options, 'files.read', query, { headers });
  const { streamIdleTimeoutMs, requestTimeoutMs } = options;
  const idleTimeoutMs = streamIdleTimeoutMs ?? requestTimeoutMs ?? connection.requestTimeoutMs;
  const body = guardBody(response.body ?? new Blob([]).stream(), { idleTimeoutMs, toError, onEnd: end });
  if (format === 'stream') return body;
  // Not by `Response.text()` and the like: they may wait for ever, and may hide why a body broke off.
  const pieces: BlobPart[] = [];
  const reader = body.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    pieces.push(next.value as Uint8Array<ArrayBuffer>);
  }
  return formats[format](new Blob(pieces, { type: response.headers.get('content-type') ?? '' }));
}

type Gathered = Exclude<keyof ReadFormats, 'stream'>;

const formats: Record<Gathered, (file: Blob) => Promise<string | Uint8Array> | Blob> = {
  text: (file) => file.text(),
  bytes: async (file) => new Uint8Array(await file.arrayBuffer()),
  blob: (file) => file,
};
