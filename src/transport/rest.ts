import type { CallOptions } from './call-options.js';
import { Caller, type CallerOptions } from './caller.js';
import { type AnswerFrom, readJson } from './http-error.js';

export interface RestCall extends CallOptions {
  /** As programs know it: `sandbox.create`. */
  operation: string;
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  headers?: Record<string, string>;
  query?: Record<string, string>;
  body?: unknown;
  /** Whether it may be executed twice without harm. Default: all but POST. */
  idempotent?: boolean;
  /** In the place of the client's. */
  retries?: number;
}

/** A successful answer, all of it. */
export interface RestAnswer {
  headers: Headers;
  /** What its JSON says; undefined where it has no body. */
  body: unknown;
}

/** A call of a JSON interface. */
export type Rest = (call: RestCall) => Promise<RestAnswer>;

/** Makes the caller of a JSON interface. The body of an answer counts to the time of the call. */
export function createRest(options: CallerOptions, from: AnswerFrom = 'control'): Rest {
  const caller = new Caller(options);
  return ({ method, path, headers, query, body, ...subject }) => {
    const search = new URLSearchParams(query).toString();
    const url = `${options.baseUrl}${path}${search && `?${search}`}`;
    const init: RequestInit = {
      method,
      headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    };
    return caller.run(subject, async (fetch, signal) => {
      const response = await fetch(url, { ...init, signal }, from);
      return { headers: response.headers, body: await readJson(response) };
    });
  };
}
