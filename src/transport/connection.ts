import { isE2BEdgeError, SandboxNotFoundError, TemplateError } from '../errors.js';
import { type AuthorizedFetch, authorizeFetch } from './authorized-fetch.js';
import { type CallOptions, defaultRequestTimeoutMs } from './call-options.js';
import type { ClientOptions } from './client-options.js';
import type { Credential } from './credential.js';
import { startDeadline, withDeadline } from './deadline.js';
import { connectionLost, sandboxEnded } from './http-error.js';
import { createRpc, type Rpc, rpcError } from './rpc.js';
import { type OpenStream, openStream, type StreamOptions } from './stream.js';
import { isVersionAtLeast } from './version.js';

/** What a connection to one sandbox's envd is made of. */
export interface ConnectionOptions {
  sandboxId: string;
  envdVersion: string;
  /** envd's address, or the broker's proxy of it, without a slash at the end. */
  baseUrl: string;
  credential: Credential;
  /** What concerns all calls. */
  client?: ClientOptions | undefined;
  /** Whether `fetch` can send a stream: true on servers, false in pages. */
  streamingUploads: boolean;
}

/** An answer of `/files` whose body is still to come. */
export interface FileAnswer {
  response: Response;
  toError(error: unknown): Promise<unknown>;
  end(): void;
}

/** How long the question whether a sandbox is still there may take, in milliseconds. */
const healthTimeoutMs = 5_000;

/** One sandbox's envd: all calls go through here, and all errors come out of here. */
export class Connection {
  readonly sandboxId: string;
  readonly envdVersion: string;
  readonly baseUrl: string;
  readonly streamingUploads: boolean;
  /** The default of `requestTimeoutMs` for all calls, in milliseconds. */
  readonly requestTimeoutMs: number;
  readonly rpc: Rpc;
  readonly #fetch: AuthorizedFetch;

  constructor(options: ConnectionOptions) {
    this.sandboxId = options.sandboxId;
    this.envdVersion = options.envdVersion;
    this.baseUrl = options.baseUrl;
    this.streamingUploads = options.streamingUploads;
    this.requestTimeoutMs = options.client?.requestTimeoutMs ?? defaultRequestTimeoutMs;
    this.#fetch = authorizeFetch(options.credential, options.client?.fetch);
    this.rpc = createRpc(options.baseUrl, this.#fetch);
  }

  /** A call with one answer. */
  async call<T>(
    options: CallOptions,
    what: string,
    call: (rpc: Rpc, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    try {
      return await withDeadline(this.#withDefaults(options), what, (signal) => call(this.rpc, signal));
    } catch (error) {
      throw await this.#explain(options.signal?.aborted ? error : rpcError(error));
    }
  }

  /** A call with a stream of answers. */
  async stream<T>(
    options: StreamOptions,
    what: string,
    call: (rpc: Rpc, signal: AbortSignal) => AsyncIterable<T>,
  ): Promise<OpenStream<T>> {
    try {
      const stream = await openStream((signal) => call(this.rpc, signal), this.#withDefaults(options), what);
      return { ...stream, rest: this.#explained(stream.rest) };
    } catch (error) {
      const explained = await this.#explain(error);
      throw isE2BEdgeError(explained, 'sandbox_ended')
        ? new SandboxNotFoundError(explained.message, { cause: explained })
        : explained;
    }
  }

  /**
   * A request at `/files`, answered as soon as the headers are here: the deadline is for those alone. Whoever takes the
   * body in calls `end` when done, and `toError` with what broke it off.
   */
  async file(
    options: CallOptions,
    what: string,
    query: Record<string, string>,
    init: RequestInit,
  ): Promise<FileAnswer> {
    const deadline = startDeadline(this.#withDefaults(options), what);
    const toError = async (error: unknown): Promise<unknown> => {
      if (deadline.signal.aborted) return deadline.signal.reason;
      return isE2BEdgeError(error) ? error : this.#explain(connectionLost(error));
    };
    try {
      const url = `${this.baseUrl}/files?${new URLSearchParams(query)}`;
      const response = await this.#fetch(url, { ...init, signal: deadline.signal }, 'files');
      deadline.met();
      return { response, toError, end: deadline.end };
    } catch (error) {
      deadline.end();
      throw await toError(error);
    }
  }

  /**
   * Whether envd answers. False when the sandbox was killed or ended.
   * @throws any other trouble on the way.
   */
  async isRunning(options: CallOptions): Promise<boolean> {
    try {
      await withDeadline(this.#withDefaults(options), 'isRunning', (signal) =>
        this.#fetch(`${this.baseUrl}/health`, { signal }, 'rpc'),
      );
      return true;
    } catch (error) {
      if (isE2BEdgeError(error) && (error.code === 'sandbox_ended' || error.code === 'sandbox_not_found'))
        return false;
      throw error;
    }
  }

  /** @throws {TemplateError} the sandbox's envd is older than what was asked of it needs. */
  requireEnvd(version: string, what: string): void {
    if (!this.hasEnvd(version)) {
      throw new TemplateError(
        `${what} needs envd ${version} and the sandbox has ${this.envdVersion}: build its template again.`,
        { code: 'envd_too_old' },
      );
    }
  }

  hasEnvd(version: string): boolean {
    return isVersionAtLeast(this.envdVersion, version);
  }

  #withDefaults<T extends CallOptions>(options: T): T {
    return { ...options, requestTimeoutMs: options.requestTimeoutMs ?? this.requestTimeoutMs };
  }

  async *#explained<T>(messages: AsyncGenerator<T, void, undefined>): AsyncGenerator<T, void, undefined> {
    try {
      yield* messages;
    } catch (error) {
      throw await this.#explain(error);
    }
  }

  /** A connection that was lost may have been lost because the sandbox ended: that is worth a question. */
  async #explain(error: unknown): Promise<unknown> {
    if (!isE2BEdgeError(error, 'connection_lost')) return error;
    const running = await this.isRunning({ requestTimeoutMs: healthTimeoutMs }).catch(() => true);
    return running ? error : sandboxEnded('the stream broke off', { cause: error });
  }
}
