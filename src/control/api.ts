import { type E2BEdgeError, isE2BEdgeError, NotFoundError, SandboxError } from '../errors.js';
import type { CallOptions } from '../transport/call-options.js';
import type { ClientOptions } from '../transport/client-options.js';
import { createRest, type RestCall } from '../transport/rest.js';
import { type MetricRecord, metricsQuery } from '../wire/sandbox-metrics.js';
import { type ListQuery, listQuery, type Page, type SnapshotQuery, snapshotQuery } from './list-query.js';
import type {
  ForkRecord,
  ListedSandbox,
  NewSandbox,
  SandboxDetail,
  SandboxRecord,
  SnapshotRecord,
} from './records.js';

export interface ControlApiConfig {
  apiUrl: string;
  /** Asked for at each call. */
  apiKey(): string | Promise<string>;
  /** What concerns all calls. */
  client?: ClientOptions | undefined;
  apiHeaders?: Record<string, string> | undefined;
}

export interface CreateCallOptions extends CallOptions {
  /** The control plane gives requests that have the same key the same sandbox, if it is new enough to know of keys. */
  idempotencyKey?: string;
}

/** The control plane's calls, as they are on the wire: seconds, and its own names. */
export interface ControlApi {
  create(sandbox: NewSandbox, options?: CreateCallOptions): Promise<SandboxRecord>;
  /** Resumes a paused sandbox; makes a running one live for at least `timeout` seconds more. */
  connect(
    sandboxId: string,
    body: { timeout?: number; memory?: false },
    options?: CallOptions,
  ): Promise<SandboxRecord>;
  info(sandboxId: string, options?: CallOptions): Promise<SandboxDetail>;
  list(query: ListQuery, options?: CallOptions): Promise<Page<ListedSandbox>>;
  /** False when there is no such sandbox. */
  kill(sandboxId: string, options?: CallOptions): Promise<boolean>;
  /** False when it is paused, or just changes its state. */
  pause(sandboxId: string, body: { memory?: boolean }, options?: CallOptions): Promise<boolean>;
  fork(
    sandboxId: string,
    body: { timeout: number; count?: number },
    options?: CallOptions,
  ): Promise<ForkRecord[]>;
  /** Sets the end to so many seconds from now; it may come earlier than before. */
  setTimeout(sandboxId: string, seconds: number, options?: CallOptions): Promise<void>;
  /** Moves the end to at least so many seconds from now; never earlier. */
  extend(sandboxId: string, seconds: number, options?: CallOptions): Promise<void>;
  updateNetwork(sandboxId: string, body: Record<string, unknown>, options?: CallOptions): Promise<void>;
  metrics(
    sandboxId: string,
    range: { start?: Date; end?: Date },
    options?: CallOptions,
  ): Promise<MetricRecord[]>;
  createSnapshot(sandboxId: string, body: { name?: string }, options?: CallOptions): Promise<SnapshotRecord>;
  listSnapshots(query: SnapshotQuery, options?: CallOptions): Promise<Page<SnapshotRecord>>;
  /** False when there is no such snapshot. */
  deleteSnapshot(snapshotId: string, options?: CallOptions): Promise<boolean>;
}

/**
 * Makes the control plane's calls.
 *
 * Each throws `AuthenticationError` for a key that is refused, `SandboxNotFoundError` for a sandbox that is not there,
 * `RateLimitError`, `ServiceBusyError`, `TimeoutError` and `ConnectionError` as their names say.
 */
export function createControlApi(config: ControlApiConfig): ControlApi {
  const { apiUrl, apiKey, apiHeaders, client } = config;
  const credential = { headers: async () => ({ ...apiHeaders, 'x-api-key': await apiKey() }) };
  const call = createRest({ baseUrl: apiUrl, credential, client });

  const record = async <T>(request: RestCall, what: string, ...members: string[]): Promise<T> => {
    const { body } = await call(request);
    const fields = Object(body) as Record<string, unknown>;
    if (members.some((member) => typeof fields[member] !== 'string')) throw protocolError(request, what);
    return body as T;
  };
  const sandbox = <T extends SandboxRecord>(request: RestCall): Promise<T> =>
    record(request, 'a sandbox', 'sandboxID', 'envdVersion');
  const page = async <T>(request: RestCall): Promise<Page<T>> => {
    const { headers, body } = await call(request);
    if (!Array.isArray(body)) throw protocolError(request, 'a list');
    const nextToken = headers.get('x-next-token');
    return { items: body as T[], ...(nextToken && { nextToken }) };
  };

  return {
    create: (body, { idempotencyKey, ...options } = {}) =>
      sandbox<SandboxRecord>({
        ...options,
        ...post('sandbox.create', '/v2/sandboxes', body),
        ...(idempotencyKey && { headers: { 'idempotency-key': idempotencyKey } }),
      }).catch((error: unknown) => {
        throw isE2BEdgeError(error, 'sandbox_not_found') ? templateNotFound(error) : error;
      }),
    connect: (id, body, options) =>
      sandbox({ ...options, ...again('sandbox.connect', `/v2${at(id)}/connect`, body) }),
    info: (id, options) => sandbox({ ...options, ...get('sandbox.getInfo', at(id)) }),
    list: (query, options) => page({ ...options, ...get('sandbox.list', '/v2/sandboxes', listQuery(query)) }),
    kill: (id, options) =>
      unless(404, () => call({ ...options, operation: 'sandbox.kill', method: 'DELETE', path: at(id) })),
    pause: (id, body, options) =>
      unless(409, () => call({ ...options, ...again('sandbox.pause', `${at(id)}/pause`, body) })),
    fork: async (id, body, options) => {
      const forks = await page<ForkRecord>({ ...options, ...post('sandbox.fork', `${at(id)}/fork`, body) });
      return forks.items;
    },
    setTimeout: async (id, timeout, options) => {
      await call({ ...options, ...again('sandbox.setTimeout', `${at(id)}/timeout`, { timeout }) });
    },
    extend: async (id, duration, options) => {
      await call({ ...options, ...again('sandbox.extend', `${at(id)}/refreshes`, { duration }) });
    },
    updateNetwork: async (id, body, options) => {
      const operation = 'sandbox.updateNetwork';
      await call({ ...options, operation, method: 'PUT', path: `${at(id)}/network`, body });
    },
    metrics: async (id, { start, end }, options) => {
      const query = metricsQuery(start, end);
      const metrics = await page<MetricRecord>({
        ...options,
        ...get('sandbox.getMetrics', `${at(id)}/metrics`, query),
      });
      return metrics.items;
    },
    createSnapshot: (id, body, options) =>
      record(
        { ...options, ...post('sandbox.createSnapshot', `${at(id)}/snapshots`, body) },
        'a snapshot',
        'snapshotID',
      ),
    listSnapshots: (query, options) =>
      page({ ...options, ...get('sandbox.listSnapshots', '/snapshots', snapshotQuery(query)) }),
    deleteSnapshot: (id, options) => {
      const path = `/templates/${encodeURIComponent(id)}`;
      return unless(404, () =>
        call({ ...options, operation: 'sandbox.deleteSnapshot', method: 'DELETE', path }),
      );
    },
  };
}

type Request = Pick<RestCall, 'operation' | 'method' | 'path' | 'query' | 'body' | 'idempotent'>;

function at(sandboxId: string): string {
  return `/sandboxes/${encodeURIComponent(sandboxId)}`;
}

function get(operation: string, path: string, query: Record<string, string> = {}): Request {
  return { operation, method: 'GET', path, query };
}

function post(operation: string, path: string, body: unknown): Request {
  return { operation, method: 'POST', path, body };
}

/** One that may be made again: it says what is to be, not what is to be done. */
function again(operation: string, path: string, body: unknown): Request {
  return { ...post(operation, path, body), idempotent: true };
}

/** Whether a call did something; false when it was refused with a status that means that there was nothing to do. */
async function unless(status: number, call: () => Promise<unknown>): Promise<boolean> {
  try {
    await call();
    return true;
  } catch (error) {
    if (isE2BEdgeError(error) && error.statusCode === status) return false;
    throw error;
  }
}

/** There is no sandbox yet that could be missing. */
function templateNotFound(cause: E2BEdgeError): NotFoundError {
  return new NotFoundError(cause.message, { code: 'template_not_found', statusCode: 404, cause });
}

function protocolError({ path }: RestCall, what: string): SandboxError {
  return new SandboxError(`The control plane answered ${path} with something that is not ${what}.`, {
    code: 'protocol_error',
  });
}
