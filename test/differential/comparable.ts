import type { Answer } from './ask.js';

/** Headers that a client could go by. `date` and what belongs to one connection are not among them. */
const headers = [
  'accept-ranges',
  'allow',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'vary',
  'x-content-type-options',
];
/** The multipart boundary of several ranges is random. */
const boundary = /boundary=[^;]+/;

type Fields = Record<string, unknown>;

/** What of an answer has to be the same on both sides. */
export interface Comparable {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** The error that the body is, or that the stream ended with. */
  readonly error: { readonly code: string; readonly message: string } | undefined;
}

/**
 * An answer without what may differ: pids, times, owners, the sizes that a file system gives directories, how
 * output was cut into pieces.
 */
export function comparable(answer: Answer): Comparable {
  const body = Array.isArray(answer.body)
    ? joined(answer.body)
    : isFields(answer.body) && Array.isArray(answer.body.messages)
      ? { ...answer.body, messages: joined(answer.body.messages) }
      : plain(answer.body);
  const kept: Record<string, string> = {};
  const isMessage =
    /json|proto|multipart/.test(answer.headers['content-type'] ?? '') ||
    (isFields(answer.body) && 'json' in answer.body);
  for (const name of headers) {
    const value = answer.headers[name];
    // The length of a message says how it was written down, which may differ.
    if (value === undefined) continue;
    if (name === 'content-length' && (isMessage || !lengthMatters(answer, value))) continue;
    // envd sends `Vary: Origin` with everything; here it comes from the server in front, and is tested there.
    const text = name === 'vary' ? String(value).replace(/(^|, )Origin\b/, '') : String(value);
    // connect-go repeats the charset that the request named for its JSON, which is always UTF-8.
    const bare = text.replace(/^(application\/json); charset=utf-8$/, '$1');
    if (text !== '') kept[name] = bare.replace(boundary, 'boundary=BOUNDARY');
  }
  if (answer.headers['last-modified']) kept['last-modified'] = 'given';
  return { status: answer.status, headers: kept, body, error: errorIn(body) };
}

/** Nobody goes by that of an error, two compressors make different ones, and none is the same as 0. */
function lengthMatters({ status, headers: given }: Answer, length: string | string[]): boolean {
  return status < 400 && given['content-encoding'] === undefined && length !== '0';
}

function errorIn(body: unknown): Comparable['error'] {
  if (!isFields(body)) return undefined;
  const last = Array.isArray(body.messages) ? body.messages.at(-1) : undefined;
  const end = isFields(last) && isFields(last.endOfStream) ? last.endOfStream.error : undefined;
  const error = end ?? body.json;
  if (!isFields(error) || typeof error.message !== 'string') return undefined;
  return { code: String(error.code), message: error.message };
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The messages of a stream, with the pieces of each output put together. */
function joined(messages: readonly unknown[]): unknown {
  const outputs: Record<string, Buffer> = {};
  const rest: unknown[] = [];
  for (const message of messages) {
    const data = isFields(message) && isFields(message.event) ? message.event.data : undefined;
    if (!isFields(data)) {
      rest.push(plain(message));
      continue;
    }
    for (const [kind, text] of Object.entries(data)) {
      const before = outputs[kind] ?? Buffer.alloc(0);
      outputs[kind] = Buffer.concat([before, Buffer.from(String(text), 'base64')]);
    }
  }
  const texts = Object.entries(outputs).map(([kind, bytes]) => [kind, bytes.toString('latin1')]);
  return { messages: rest, output: Object.fromEntries(texts.sort()) };
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'string') return value.replace(/the-boundary|^--[0-9a-f]{30,}/gm, 'BOUNDARY');
  if (!isFields(value)) return value;
  const fields = Object.entries(value).map(([key, field]) => [key, plainField(key, field, value)]);
  return Object.fromEntries(fields.filter(([, field]) => field !== undefined).sort());
}

function plainField(key: string, field: unknown, parent: Fields): unknown {
  if (key === 'pid' && typeof field === 'number') return 'PID';
  if (key === 'modifiedTime') return 'given';
  if (key === 'owner' || key === 'group') return 'given';
  if (key === 'size' && parent.type === 'FILE_TYPE_DIRECTORY') return 'given';
  // Further explanation for programs, which no client of envd reads.
  if (key === 'details' || key === 'metadata')
    return key === 'metadata' && 'path' in parent ? plain(field) : undefined;
  // In no order.
  if (key === 'processes' && Array.isArray(field))
    return field
      .map(plain)
      .map((one) => JSON.stringify(one))
      .sort();
  return plain(field);
}
