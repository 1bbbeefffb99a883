import ky, { HTTPError, TimeoutError as KyTimeoutError } from 'ky';
import { isE2BEdgeError, TimeoutError } from '../errors.js';
import type { FetchLike } from './authorized-fetch.js';
import { type CallOptions, defaultRequestTimeoutMs } from './call-options.js';
import { connectionFailed, httpError } from './http-error.js';

export interface RestOptions {
  baseUrl: string;
  fetch?: FetchLike | undefined;
  requestTimeoutMs?: number | undefined;
  /** How often a call that was refused with 429 and a `Retry-After`, or a GET that failed, is tried again. Default 3. */
  retries?: number | undefined;
}

export interface RestCall extends CallOptions {
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  headers: Record<string, string>;
  query?: Record<string, string>;
  body?: unknown;
}

/** A call of a JSON interface; resolves with a successful answer. */
export type Rest = (call: RestCall) => Promise<Response>;

const defaultRetries = 3;

/**
 * Makes the caller of the control plane. A request that changes something is tried again only when it was refused
 * before it did anything (429): a create that was lost on the way may have made a sandbox.
 */
export function createRest(options: RestOptions): Rest {
  const { baseUrl, fetch, retries: limit = defaultRetries } = options;
  return async ({ method, path, headers, query, body, signal, requestTimeoutMs }) => {
    signal?.throwIfAborted();
    const url = new URL(`${baseUrl}${path}`);
    for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value);
    const ms = requestTimeoutMs ?? options.requestTimeoutMs ?? defaultRequestTimeoutMs;
    try {
      return await ky(url, {
        method,
        headers,
        redirect: 'manual',
        timeout: ms > 0 ? ms : false,
        retry: {
          limit,
          methods: ['get', 'post', 'delete'],
          statusCodes: [429, 502, 503, 504],
          shouldRetry: ({ error }) => mayRetry(method, error),
        },
        ...(fetch && { fetch: adapted(fetch) }),
        ...(signal && { signal }),
        ...(body !== undefined && { json: body }),
      });
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw await restError(error, url, ms);
    }
  };
}

/** False is no; undefined leaves it to the list of statuses and to `Retry-After`. */
function mayRetry(method: RestCall['method'], error: Error): false | undefined {
  if (error instanceof HTTPError && error.response.status === 429) {
    return error.response.headers.has('retry-after') ? undefined : false;
  }
  return method === 'GET' ? undefined : false;
}

/** ky calls `fetch` with a Request; the one that was given takes an address. */
function adapted(fetch: FetchLike): typeof globalThis.fetch {
  return async (input) => {
    const request = input as Request;
    const body = request.body ? { body: await request.text() } : {};
    const { method, headers, redirect, signal } = request;
    return fetch(request.url, { method, headers, redirect, signal, ...body });
  };
}

async function restError(error: unknown, url: URL, ms: number): Promise<unknown> {
  if (isE2BEdgeError(error)) return error;
  if (error instanceof HTTPError) return httpError(error.response, 'control');
  if (error instanceof KyTimeoutError) {
    return new TimeoutError(`${url.origin} did not answer within ${ms} ms (requestTimeoutMs).`, {
      code: 'request_timeout',
      cause: error,
    });
  }
  return connectionFailed(url.href, error);
}
