import { NotFoundError, SandboxError } from '../errors.js';
import type { CallOptions } from '../transport/call-options.js';
import type { ClientOptions } from '../transport/client-options.js';
import { createRest, type RestAnswer, type RestCall } from '../transport/rest.js';
import type { ListedSandbox, NewSandbox, SandboxDetail, SandboxRecord } from './records.js';

export interface ControlApiConfig {
  apiUrl: string;
  /** Asked for at each call. */
  apiKey(): string | Promise<string>;
  /** What concerns all calls. */
  client?: ClientOptions | undefined;
  apiHeaders?: Record<string, string> | undefined;
}

/** A filter of `list`. */
export interface ListQuery {
  metadata?: Record<string, string>;
  state?: string[];
  startedAfter?: Date;
  template?: string;
  order?: 'asc' | 'desc';
  limit?: number;
  nextToken?: string;
}

/** The control plane's lifecycle calls, as they are on the wire: seconds, and its own names. */
export interface ControlApi {
  create(sandbox: NewSandbox, options?: CallOptions): Promise<SandboxRecord>;
  /** Resumes a paused sandbox; makes a running one live for at least `timeout` seconds more. */
  connect(sandboxId: string, body: { timeout?: number }, options?: CallOptions): Promise<SandboxRecord>;
  info(sandboxId: string, options?: CallOptions): Promise<SandboxDetail>;
  list(query: ListQuery, options?: CallOptions): Promise<{ sandboxes: ListedSandbox[]; nextToken?: string }>;
  /** False when there is no such sandbox. */
  kill(sandboxId: string, options?: CallOptions): Promise<boolean>;
  /** Sets the end to so many seconds from now; it may come earlier than before. */
  setTimeout(sandboxId: string, seconds: number, options?: CallOptions): Promise<void>;
  /** Moves the end to at least so many seconds from now; never earlier. */
  extend(sandboxId: string, seconds: number, options?: CallOptions): Promise<void>;
}

/**
 * Makes the control plane's calls.
 *
 * Each throws `AuthenticationError` for a key that is refused, `SandboxNotFoundError` for a sandbox that is not there,
 * `RateLimitError`, `ServiceBusyError`, `TimeoutError` and `ConnectionError` as their names say.
 */
export function createControlApi(config: ControlApiConfig): ControlApi {
  const rest = createRest({ baseUrl: config.apiUrl, ...config.client });
  const call = async (request: Omit<RestCall, 'headers'>): Promise<RestAnswer> =>
    rest({ ...request, headers: { ...config.apiHeaders, 'x-api-key': await config.apiKey() } });
  const at = (sandboxId: string): string => `/sandboxes/${encodeURIComponent(sandboxId)}`;

  const record = async <T extends SandboxRecord | SandboxDetail>(
    request: Omit<RestCall, 'headers'>,
  ): Promise<T> => {
    const { body } = await call(request);
    if (!isRecord(body)) throw protocolError(request.path, 'a sandbox');
    return body as T;
  };

  return {
    create: (body, options) => record({ ...options, method: 'POST', path: '/v2/sandboxes', body }),
    connect: (sandboxId, body, options) =>
      record({ ...options, method: 'POST', path: `/v2${at(sandboxId)}/connect`, body }),
    info: (sandboxId, options) => record({ ...options, method: 'GET', path: at(sandboxId) }),
    list: async (query, options) => {
      const path = '/v2/sandboxes';
      const { headers, body } = await call({ ...options, method: 'GET', path, query: listQuery(query) });
      if (!Array.isArray(body)) throw protocolError(path, 'a list of sandboxes');
      const nextToken = headers.get('x-next-token');
      return { sandboxes: body as ListedSandbox[], ...(nextToken && { nextToken }) };
    },
    kill: async (sandboxId, options) => {
      try {
        await call({ ...options, method: 'DELETE', path: at(sandboxId) });
        return true;
      } catch (error) {
        if (error instanceof NotFoundError) return false;
        throw error;
      }
    },
    setTimeout: async (sandboxId, timeout, options) => {
      await call({ ...options, method: 'POST', path: `${at(sandboxId)}/timeout`, body: { timeout } });
    },
    extend: async (sandboxId, duration, options) => {
      await call({ ...options, method: 'POST', path: `${at(sandboxId)}/refreshes`, body: { duration } });
    },
  };
}

function isRecord(body: unknown): boolean {
  const { sandboxID, envdVersion } = (body ?? {}) as Partial<SandboxRecord>;
  return typeof sandboxID === 'string' && typeof envdVersion === 'string';
}

function protocolError(path: string, what: string): SandboxError {
  return new SandboxError(`The control plane answered ${path} with something that is not ${what}.`, {
    code: 'protocol_error',
  });
}

function listQuery(query: ListQuery): Record<string, string> {
  const { metadata, state, startedAfter, limit, ...rest } = query;
  const params: Record<string, string | undefined> = {
    ...rest,
    // The server decodes three times: a query within a value of a query, each of its parts encoded once more.
    metadata: metadata && new URLSearchParams(encodedEntries(metadata)).toString(),
    state: state?.join(','),
    startedAfter: startedAfter?.toISOString(),
    limit: limit?.toString(),
  };
  return Object.fromEntries(
    Object.entries(params).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function encodedEntries(metadata: Record<string, string>): [string, string][] {
  return Object.entries(metadata).map(([key, value]) => [encodeURIComponent(key), encodeURIComponent(value)]);
}
