/**
 * The way to a sandbox's envd. Requests are made from scratch: the address out of a checked sandbox id and fixed
 * settings, the real credential, the session's user, and of the page's headers only what is handed in here.
 */

import { isE2BEdgeError } from '../errors.js';
import { withDeadline } from '../transport/deadline.js';
import { fromBinary } from '../wire/codec/from-binary.js';
import type { MessageInit, MessageType, UnaryMethod } from '../wire/codec/message-type.js';
import { toBinary } from '../wire/codec/to-binary.js';
import type { Scope } from './exchange.js';
import { discard, readAnswer } from './read-body.js';
import { httpRefusal, upstreamFailed } from './refusals.js';
import type { KnownSandbox } from './sandbox-directory.js';
import type { SessionClaims } from './session-token.js';
import { upstreamError } from './upstream-error.js';

/** A session's way to its sandbox. */
export interface Upstream {
  sandboxId: string;
  /** The Linux user; undefined is envd's default. */
  user: string | undefined;
  /** Sends a request. Rejects when nothing answers, or with a redirect. */
  send(path: string, init: UpstreamRequest): Promise<Response>;
  /** A call of the broker's own; undefined for what envd says is not found. */
  call<I, O>(method: UnaryMethod<I, O>, message: MessageInit<I>): Promise<O | undefined>;
}

export interface UpstreamRequest {
  method: 'GET' | 'POST';
  headers: Record<string, string>;
  body?: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  signal: AbortSignal;
}

const callTimeoutMs = 15_000;
const maxAnswerBytes = 4 * 1024 * 1024;

export async function openUpstream<Env>(scope: Scope<Env>, claims: SessionClaims): Promise<Upstream> {
  const { directory, credentials } = scope;
  const sandbox = await directory.find(claims.sbx, credentials);
  const send = (path: string, init: UpstreamRequest): Promise<Response> =>
    sendTo(scope, sandbox, claims, path, init);

  return {
    sandboxId: claims.sbx,
    user: claims.g.user,
    send,
    async call(method, message) {
      const body = toBinary(method.input, message);
      const answer = await inTime(method.path, async (signal) => {
        const response = await send(method.path, {
          method: 'POST',
          headers: { 'content-type': 'application/proto', 'connect-protocol-version': '1' },
          body,
          signal,
        });
        if (response.ok) return readAnswer(response, maxAnswerBytes);
        const error = await upstreamError(response, 'rpc');
        if (isE2BEdgeError(error, 'not_found')) return undefined;
        throw error;
      });
      return answer && decoded(method.output, answer);
    },
  };
}

/** What envd does not answer in time is not the broker's failure. */
async function inTime<T>(what: string, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  try {
    return await withDeadline({ requestTimeoutMs: callTimeoutMs }, what, call);
  } catch (error) {
    throw isE2BEdgeError(error, 'request_timeout') ? upstreamFailed(error) : error;
  }
}

function decoded<T>(type: MessageType<T>, answer: Uint8Array): T {
  try {
    return fromBinary(type, answer);
  } catch (error) {
    throw upstreamFailed(error);
  }
}

async function sendTo<Env>(
  { settings, directory, trace }: Scope<Env>,
  { endpoint }: KnownSandbox,
  { sbx, g: { user } }: SessionClaims,
  path: string,
  init: UpstreamRequest,
): Promise<Response> {
  const { method, headers, body, signal } = init;
  const upstreamInit: RequestInit & { duplex?: 'half' } = {
    method,
    headers: {
      ...headers,
      'accept-encoding': 'identity',
      ...trace,
      ...(user !== undefined && { authorization: `Basic ${btoa(`${user}:`)}` }),
      ...endpoint.headers,
    },
    signal,
    redirect: body instanceof ReadableStream ? streamRedirect() : 'manual',
    ...(body && { body }),
    ...(body instanceof ReadableStream && { duplex: 'half' }),
  };
  let response: Response;
  try {
    response = await settings.fetch(`${endpoint.baseUrl}/${path}`, upstreamInit);
  } catch (error) {
    if (signal.aborted)
      throw httpRefusal(499, 'canceled', 'The caller went away, or the sandbox took too long.');
    throw upstreamFailed(error);
  }
  if (
    response.type === 'opaqueredirect' ||
    (response.status >= 300 && response.status < 400 && response.status !== 304)
  ) {
    await discard(response);
    throw upstreamFailed(new Error(`a redirect (${response.status})`));
  }
  // A token that envd refuses, and a sandbox that is not where it was, are asked for anew the next time.
  if (response.status === 401 || response.status === 502) directory.forget(sbx);
  return response;
}

/**
 * No redirect is followed in any case. With 'manual' Node's fetch keeps a copy of all that is streamed, to send it again;
 * workerd does not know 'error', and keeps none.
 */
function streamRedirect(): RequestRedirect {
  try {
    return new Request('http://any.invalid', { redirect: 'error' }).redirect;
  } catch {
    return 'manual';
  }
}
