import type { FetchLike } from './authorized-fetch.js';
import type { ClientOptions } from './client-options.js';
import { abortable } from './deadline.js';
import type { CallEvent, Logger, RetryEvent } from './hooks.js';
import { isTraceParent } from './trace-parent.js';

/** Tells a program's hooks and its logger of one call. What they throw is logged, and the call goes on. */
export class CallObserver {
  attempt = 1;
  readonly #operation: string;
  readonly #sandboxId: string | undefined;
  readonly #client: ClientOptions;
  readonly #began = performance.now();
  #callId: string | undefined;

  constructor(operation: string, sandboxId: string | undefined, client: ClientOptions) {
    this.#operation = operation;
    this.#sandboxId = sandboxId;
    this.#client = client;
  }

  /** `fetch`, with the program's own headers, that tells of what is sent and what is answered. */
  readonly fetch: FetchLike = async (address, init) => {
    const { fetch = globalThis.fetch, onRequest, onResponse } = this.#client;
    const { origin, pathname } = new URL(address);
    const request = { method: init.method ?? 'GET', url: origin + pathname };
    const added = this.#headers();
    if (onRequest)
      await abortable(this.#tell('onRequest', onRequest, { ...request, headers: added }), init.signal);
    const headers = new Headers(init.headers);
    added.forEach((value, name) => {
      if (!headers.has(name)) headers.set(name, value);
    });
    const began = performance.now();
    const response = await fetch(address, { ...init, headers });
    const { status } = response;
    const durationMs = performance.now() - began;
    if (onResponse) void this.#tell('onResponse', onResponse, { ...request, status, durationMs });
    this.#log('debug', () => `${request.method} ${request.url}: ${status} in ${Math.round(durationMs)} ms`);
    return response;
  };

  retry(error: Error, delayMs: number): void {
    const { onRetry } = this.#client;
    if (onRetry) void this.#tell<RetryEvent>('onRetry', onRetry, { error, delayMs });
    this.#log(
      'warn',
      () => `attempt ${this.attempt} failed, the next comes in ${Math.round(delayMs)} ms`,
      error,
    );
  }

  failed(error: unknown, byCaller: boolean): void {
    const { onError } = this.#client;
    const durationMs = performance.now() - this.#began;
    if (onError) void this.#tell('onError', onError, { error, durationMs });
    this.#log(byCaller ? 'debug' : 'error', () => `failed after ${Math.round(durationMs)} ms`, error);
  }

  #headers(): Headers {
    const { headers, traceparent } = this.#client;
    const added = new Headers(headers);
    const trace = this.#attempt('traceparent', () =>
      typeof traceparent === 'function' ? traceparent() : traceparent,
    );
    if (isTraceParent(trace)) added.set('traceparent', trace);
    else if (trace !== undefined) this.#log('warn', () => 'left out a traceparent that is malformed', trace);
    return added;
  }

  async #tell<Event extends CallEvent>(
    name: string,
    hook: (event: Event) => void | Promise<void>,
    what: Omit<Event, keyof CallEvent>,
  ): Promise<void> {
    this.#callId ??= crypto.randomUUID();
    const event = Object.freeze({
      operation: this.#operation,
      callId: this.#callId,
      attempt: this.attempt,
      ...(this.#sandboxId !== undefined && { sandboxId: this.#sandboxId }),
      ...what,
    }) as unknown as Event;
    try {
      await hook(event);
    } catch (error) {
      this.#log('warn', () => `the hook ${name} failed`, error);
    }
  }

  #attempt<T>(name: string, ask: () => T): T | undefined {
    try {
      return ask();
    } catch (error) {
      this.#log('warn', () => `the function ${name} failed`, error);
      return undefined;
    }
  }

  #log(level: keyof Logger, message: () => string, ...details: unknown[]): void {
    const { logger } = this.#client;
    try {
      logger?.[level]?.(`e2b-edge: ${this.#operation}: ${message()}`, ...details);
    } catch {
      // There is nowhere to tell it.
    }
  }
}
