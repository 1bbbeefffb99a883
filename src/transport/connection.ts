import { isE2BEdgeError, SandboxNotFoundError } from '../errors.js';
import { type CallOptions, defaultRequestTimeoutMs } from './call-options.js';
import { type Call, Caller } from './caller.js';
import type { ClientOptions } from './client-options.js';
import type { Credential } from './credential.js';
import { connectionLost, sandboxEnded } from './http-error.js';
import { createRpc, type Rpc } from './rpc.js';
import { type OpenStream, openStream } from './stream.js';
import { envdTooOld, isVersionAtLeast } from './version.js';

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

export interface StreamOptions extends CallOptions {
  /**
   * A stream that is silent for longer while it is read counts as lost, in milliseconds. Set it above the interval of
   * the server's keepalives; default: it may be silent for ever.
   */
  maxSilenceMs?: number;
}

/** An answer of `/files` whose body is still to come. */
export interface FileAnswer {
  response: Response;
  toError(error: unknown): Promise<unknown>;
  end(): void;
}

/** How long the question whether a sandbox is still there may take, in milliseconds. */
const healthTimeoutMs = 5_000;

/** What says that a sandbox does not run. */
const notRunning = ['sandbox_ended', 'sandbox_not_found', 'sandbox_paused'];

/** One sandbox's envd: all calls go through here, and all errors come out of here. */
export class Connection {
  readonly sandboxId: string;
  readonly envdVersion: string;
  readonly baseUrl: string;
  readonly streamingUploads: boolean;
  /** The default of `requestTimeoutMs` for all calls, in milliseconds. */
  readonly requestTimeoutMs: number;
  readonly #caller: Caller;

  constructor(options: ConnectionOptions) {
    this.sandboxId = options.sandboxId;
    this.envdVersion = options.envdVersion;
    this.baseUrl = options.baseUrl;
    this.streamingUploads = options.streamingUploads;
    this.requestTimeoutMs = options.client?.requestTimeoutMs ?? defaultRequestTimeoutMs;
    this.#caller = new Caller(options);
  }

  /** A call with one answer. What may be repeated is made anew when it failed on the way. */
  call<T>(
    options: CallOptions,
    operation: string,
    call: (rpc: Rpc, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    return this.#caller.run({ ...options, operation }, (fetch, signal) =>
      this.#explained(signal, () => call(createRpc(this.baseUrl, fetch), signal)),
    );
  }

  /** A call with a stream of answers. Only its opening is repeated. */
  async stream<T>(
    options: StreamOptions,
    operation: string,
    call: (rpc: Rpc, signal: AbortSignal) => AsyncIterable<T>,
  ): Promise<OpenStream<T>> {
    const opened = this.#caller.begin({ ...options, operation });
    try {
      const stream = await opened.run((fetch, signal) =>
        this.#explained(signal, () =>
          openStream(call(createRpc(this.baseUrl, fetch), signal), opened.deadline, options.maxSilenceMs),
        ).catch((error: unknown) => {
          throw goneBefore(error);
        }),
      );
      return { ...stream, rest: this.#rest(stream.rest, opened, options.signal) };
    } catch (error) {
      opened.deadline.end();
      throw error;
    }
  }

  /**
   * A request at `/files`, answered as soon as the headers are here: the deadline is for those alone. Whoever takes the
   * body in calls `end` when done, and `toError` with what broke it off.
   */
  async file(
    options: CallOptions,
    operation: string,
    query: Record<string, string>,
    init: RequestInit,
  ): Promise<FileAnswer> {
    const call = this.#caller.begin({ ...options, operation });
    const { deadline } = call;
    try {
      const url = `${this.baseUrl}/files?${new URLSearchParams(query)}`;
      const response = await call.run((fetch, signal) =>
        this.#explained(signal, () => fetch(url, { ...init, signal }, 'files')),
      );
      deadline.met();
      const toError = async (error: unknown): Promise<unknown> => {
        const { signal } = deadline;
        const lost = isE2BEdgeError(error) ? error : connectionLost(error);
        return call.failed(signal.aborted ? signal.reason : await this.#explain(lost, signal));
      };
      return { response, toError, end: deadline.end };
    } catch (error) {
      deadline.end();
      throw error;
    }
  }

  /**
   * Whether envd answers. False when the sandbox was killed, ended or is paused.
   * @param retries in the place of the client's.
   * @throws any other trouble on the way.
   */
  async isRunning(options: CallOptions, retries?: number): Promise<boolean> {
    const subject = { ...options, operation: 'sandbox.isRunning', retries };
    try {
      await this.#caller.run(subject, (fetch, signal) => fetch(`${this.baseUrl}/health`, { signal }, 'rpc'));
      return true;
    } catch (error) {
      if (isE2BEdgeError(error) && notRunning.includes(error.code)) return false;
      throw error;
    }
  }

  /** @throws {TemplateError} the sandbox's envd is older than what was asked of it needs. */
  requireEnvd(version: string, what: string): void {
    if (!this.hasEnvd(version)) throw envdTooOld(what, version, this.envdVersion);
  }

  hasEnvd(version: string): boolean {
    return isVersionAtLeast(this.envdVersion, version);
  }

  async *#rest<T>(
    messages: AsyncGenerator<T, void, undefined>,
    call: Call,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<T, void, undefined> {
    try {
      yield* messages;
    } catch (error) {
      throw call.failed(await this.#explain(error, signal));
    }
  }

  /** Says more of what an attempt throws, unless it was aborted: then the signal's reason counts. */
  async #explained<T>(signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
    try {
      return await attempt();
    } catch (error) {
      throw signal.aborted ? error : await this.#explain(error, signal);
    }
  }

  /** A connection that was lost may have been lost because the sandbox ended: that is worth a question. */
  async #explain(error: unknown, signal: AbortSignal | undefined): Promise<unknown> {
    if (!isE2BEdgeError(error, 'connection_lost')) return error;
    const question = { requestTimeoutMs: healthTimeoutMs, ...(signal && { signal }) };
    const running = await this.isRunning(question, 0).catch(() => true);
    if (signal?.aborted) return signal.reason;
    return running ? error : sandboxEnded('the stream broke off', { cause: error });
  }
}

/** A stream that cannot be opened because its sandbox has ended: the official SDK has another error for that. */
function goneBefore(error: unknown): unknown {
  if (!isE2BEdgeError(error, 'sandbox_ended')) return error;
  const { statusCode } = error;
  return new SandboxNotFoundError(error.message, {
    cause: error,
    ...(statusCode !== undefined && { statusCode }),
  });
}
