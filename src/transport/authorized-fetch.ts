import { AuthenticationError, isE2BEdgeError } from '../errors.js';
import { connectCodeNumber } from '../wire/connect-code.js';
import type { Credential } from './credential.js';
import { abortable } from './deadline.js';
import { fetchFailed, uploadFailed } from './fetch-failure.js';
import { type AnswerFrom, httpError } from './http-error.js';

/** The part of `fetch` that is used here, so that any of its make can be given. */
export type FetchLike = (url: string, init: RequestInit) => Promise<Response>;

/** One `fetch` for everything that goes to a sandbox. */
export type AuthorizedFetch = (url: string, init: RequestInit, from: AnswerFrom) => Promise<Response>;

/**
 * Joins `fetch` and a credential. The answer is a success, or a Connect error for the RPC layer to read; all
 * else is thrown as an error of this package. A refused credential is renewed once, where the body can be sent
 * again.
 */
export function authorizeFetch(credential: Credential, fetch?: FetchLike): AuthorizedFetch {
  return async (url, init, from) => {
    const { signal } = init;
    const headers = await abortable(credential.headers(), signal);
    const response = await send(url, init, headers, fetch);
    if (response.status !== 401 || !credential.renew) return checked(response, init, from);
    const refusal = await httpError(response, from);
    await abortable(credential.renew(headers, refusal), signal);
    if (init.body instanceof ReadableStream) {
      throw new AuthenticationError(
        'The session ran out just as a stream was sent, which cannot be sent again. It has been renewed: try once more.',
        { code: 'session_expired', statusCode: 401 },
      );
    }
    return checked(await send(url, init, await abortable(credential.headers(), signal), fetch), init, from);
  };
}

async function send(
  url: string,
  init: RequestInit,
  credential: Record<string, string>,
  fetch: FetchLike = globalThis.fetch,
): Promise<Response> {
  const headers = new Headers(init.headers);
  for (const [name, value] of Object.entries(credential)) headers.set(name, value);
  // A redirect would carry the credential away. `error` would say so, but workerd knows only `follow` and `manual`.
  try {
    return await fetch(url, { ...init, headers, redirect: 'manual' });
  } catch (error) {
    if (init.signal?.aborted) throw init.signal.reason;
    if (isE2BEdgeError(error)) throw error;
    throw init.body instanceof ReadableStream ? uploadFailed(url, error) : fetchFailed(url, error);
  }
}

async function checked(response: Response, init: RequestInit, from: AnswerFrom): Promise<Response> {
  if (response.ok) return response;
  // The RPC layer reads the error of a failed unary call, but not that of a failed stream.
  if (from === 'rpc' && !isStream(init) && (await isConnectError(response.clone()))) return response;
  throw await httpError(response, from);
}

function isStream(init: RequestInit): boolean {
  return new Headers(init.headers).get('content-type')?.startsWith('application/connect+') === true;
}

/** Whether the RPC layer will understand the answer by itself. */
async function isConnectError(response: Response): Promise<boolean> {
  try {
    const { code } = (await response.json()) as { code?: unknown };
    return typeof code === 'string' && connectCodeNumber(code) > 0;
  } catch {
    return false;
  }
}
