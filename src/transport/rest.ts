import ky, { HTTPError } from 'ky';
import { isE2BEdgeError } from '../errors.js';
import type { FetchLike } from './authorized-fetch.js';
import { type CallOptions, defaultRequestTimeoutMs } from './call-options.js';
import { withDeadline } from './deadline.js';
import { connectionFailed, httpError, parseRetryAfter, readJson } from './http-error.js';

export interface RestOptions {
  baseUrl: string;
  fetch?: FetchLike | undefined;
  requestTimeoutMs?: number | undefined;
  /** How often a call that was refused with 429 and a `Retry-After`, or a GET that failed, is tried again. Default 3. */
  retries?: number | undefined;
}

export interface RestCall extends CallOptions {
  /** The method that was called, for messages and hooks: `sandbox.create`. */
  operation: string;
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Whether doing it twice is as good as once. Default: of every method but POST. */
  idempotent?: boolean;
  path: string;
  headers: Record<string, string>;
  query?: Record<string, string>;
  body?: unknown;
}

/** A successful answer, all of it. */
export interface RestAnswer {
  headers: Headers;
  /** What its JSON says; undefined where it has no body. */
  body: unknown;
}

/** A call of a JSON interface. */
export type Rest = (call: RestCall) => Promise<RestAnswer>;

const defaultRetries = 3;

/**
 * Makes the caller of the control plane. A request that changes something is tried again only when it was refused
 * before it did anything (429): a create that was lost on the way may have made a sandbox. All tries, the waits between
 * them and the answer's body share one `requestTimeoutMs`.
 */
export function createRest(options: RestOptions): Rest {
  const { baseUrl, fetch, retries: limit = defaultRetries } = options;
  return async ({ method, path, headers, query, body, signal: outer, ...call }) => {
    const url = new URL(`${baseUrl}${path}`);
    for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value);
    const requestTimeoutMs = call.requestTimeoutMs ?? options.requestTimeoutMs ?? defaultRequestTimeoutMs;
    const latest = requestTimeoutMs > 0 ? Date.now() + requestTimeoutMs : Number.POSITIVE_INFINITY;
    const deadline = { requestTimeoutMs, ...(outer && { signal: outer }) };
    return withDeadline(deadline, `${method} ${url.origin}${path}`, async (signal) => {
      try {
        const response = await ky(url, {
          method,
          headers,
          signal,
          redirect: 'manual',
          timeout: false,
          retry: {
            limit,
            methods: ['get', 'post', 'delete'],
            statusCodes: [429, 502, 503, 504],
            shouldRetry: ({ error }) => mayRetry(method, error, latest),
          },
          ...(fetch && { fetch: adapted(fetch) }),
          ...(body !== undefined && { json: body }),
        });
        return { headers: response.headers, body: await readJson(response) };
      } catch (error) {
        throw await restError(error, url);
      }
    });
  };
}

/** False is no; undefined leaves it to the list of statuses and to `Retry-After`. */
function mayRetry(method: RestCall['method'], error: Error, latest: number): false | undefined {
  if (error instanceof HTTPError && error.response.status === 429) {
    const waitMs = parseRetryAfter(error.response.headers.get('retry-after'));
    return waitMs !== undefined && Date.now() + waitMs < latest ? undefined : false;
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

async function restError(error: unknown, url: URL): Promise<unknown> {
  if (isE2BEdgeError(error)) return error;
  if (error instanceof HTTPError) return httpError(error.response, 'control');
  return connectionFailed(url.href, error);
}
