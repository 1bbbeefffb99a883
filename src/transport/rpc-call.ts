/** The Connect protocol over `fetch`, with the binary codec: as much of it as envd needs. */

import { SandboxError } from '../errors.js';
import { fromBinary } from '../wire/codec/from-binary.js';
import type { MessageInit, Method } from '../wire/codec/message-type.js';
import { toBinary } from '../wire/codec/to-binary.js';
import { compressedFlag, EnvelopeSplitter, encodeEnvelope, endStreamFlag } from '../wire/envelope.js';
import type { AuthorizedFetch } from './authorized-fetch.js';
import { connectError } from './connect-error.js';
import { answerFacts, connectionLost, httpError } from './http-error.js';
import { startStreamLimit } from './stream-limit.js';

export interface RpcOptions {
  headers?: Record<string, string>;
  /** Ends the call, which then throws the signal's reason. */
  signal?: AbortSignal;
}

export interface RpcStreamOptions extends RpcOptions {
  /** Ends the stream on both sides, and on the server's what it belongs to, in milliseconds; 0 is no limit. */
  timeoutMs?: number;
}

/** What is called, and by what. */
export interface RpcTarget<I, O> {
  fetch: AuthorizedFetch;
  url: string;
  method: Pick<Method<I, O, never>, 'input' | 'output'>;
}

/** A call with one answer. */
export async function callUnary<I, O>(
  { fetch, url, method }: RpcTarget<I, O>,
  request: MessageInit<I>,
  { headers, signal }: RpcOptions,
): Promise<O> {
  const type = 'application/proto';
  const body = toBinary(method.input, request);
  const response = await fetch(url, post(type, body, headers, signal), 'rpc');
  // `AuthorizedFetch` lets no other failures through than Connect's.
  if (!response.ok) throw connectError(await response.json(), answerFacts(response));
  await requireAnswer(response, type);
  return fromBinary(method.output, new Uint8Array(await response.arrayBuffer().catch(lost)));
}

/** A call with a stream of answers. Leaving the loop cancels it on the server's side as well. */
export async function* callStream<I, O>(
  { fetch, url, method }: RpcTarget<I, O>,
  request: MessageInit<I>,
  { headers, signal, timeoutMs = 0 }: RpcStreamOptions,
): AsyncGenerator<O, void, undefined> {
  const type = 'application/connect+proto';
  const body = encodeEnvelope(0, toBinary(method.input, request));
  const limit = startStreamLimit(signal, timeoutMs);
  try {
    const init = post(
      type,
      body,
      timeoutMs > 0 ? { ...headers, 'connect-timeout-ms': String(timeoutMs) } : headers,
      limit.signal,
    );
    const response = await fetch(url, init, 'rpc');
    await requireAnswer(response, type);
    for await (const payload of readPayloads(response.body, limit.signal)) {
      yield fromBinary(method.output, payload);
    }
  } catch (error) {
    throw limit.reason(error);
  } finally {
    limit.end();
  }
}

function post(
  type: string,
  body: Uint8Array<ArrayBuffer>,
  headers: Record<string, string> | undefined,
  signal: AbortSignal | undefined,
): RequestInit {
  return {
    method: 'POST',
    headers: { ...headers, 'content-type': type, 'connect-protocol-version': '1' },
    body,
    ...(signal && { signal }),
  };
}

/** What is not a Connect answer is of another server, or of one that stands in between. */
async function requireAnswer(response: Response, type: string): Promise<void> {
  if (response.status !== 200) throw await httpError(response, 'rpc');
  const found = response.headers.get('content-type');
  if (found?.split(';')[0]?.trim() === type) return;
  await response.body?.cancel();
  throw new SandboxError(
    `${response.url || 'The server'} answered with ${found ?? 'no content type'}, not ${type}: check the address.`,
    { code: 'protocol_error', statusCode: response.status },
  );
}

/** The payloads of a stream's messages. One that ends without saying so broke off. */
async function* readPayloads(
  body: ReadableStream<Uint8Array> | null,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = body?.getReader();
  const read = () => reader?.read().catch(lost);
  const splitter = new EnvelopeSplitter();
  let ended = false;
  try {
    for (let next = await read(); next && !next.done; next = await read()) {
      for (const { flags, payload } of splitter.push(next.value)) {
        if (flags & compressedFlag) throw protocolError('it is compressed, which was not asked for');
        if (ended) throw protocolError('it comes after the end');
        if (flags & endStreamFlag) {
          throwIfFailed(payload);
          ended = true;
        } else {
          yield payload;
        }
      }
    }
    // Node does not always fail a read whose signal was aborted before.
    signal.throwIfAborted();
    if (!ended) throw connectionLost(new Error('the stream broke off: its end frame is missing'));
  } finally {
    reader?.cancel().catch(() => undefined);
  }
}

function throwIfFailed(endStream: Uint8Array): void {
  let end: { error?: unknown; metadata?: { 'e2b-edge-code'?: string[] } } | null;
  try {
    end = JSON.parse(new TextDecoder().decode(endStream));
  } catch {
    throw protocolError('it says that it is the end, but not how');
  }
  if (end?.error === undefined) return;
  // What a broker means exactly, for which Connect has no code.
  const code = end.metadata?.['e2b-edge-code']?.[0];
  throw connectError(end.error, code === undefined ? {} : { code });
}

/** What fails while an answer is read broke off. What `fetch` throws may be of the program: it is left as it is. */
function lost(cause: unknown): never {
  throw connectionLost(cause);
}

function protocolError(what: string): SandboxError {
  return new SandboxError(`An envelope of envd's stream cannot be read: ${what}.`, {
    code: 'protocol_error',
  });
}
