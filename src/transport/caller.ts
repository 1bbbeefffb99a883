import { isE2BEdgeError } from '../errors.js';
import { type AuthorizedFetch, authorizeFetch } from './authorized-fetch.js';
import { createBackoff } from './backoff.js';
import { CallObserver } from './call-observer.js';
import type { CallOptions } from './call-options.js';
import type { ClientOptions } from './client-options.js';
import type { Credential } from './credential.js';
import { type Deadline, pause, startDeadline } from './deadline.js';
import { isIdempotent } from './idempotence.js';
import { giveBack } from './retry-budget.js';
import { type FailedAttempt, isRetryable, retryDelay } from './retry-policy.js';

/** Who calls, and how. */
export interface CallerOptions {
  /** The server's address; its origin has a retry budget. */
  baseUrl: string;
  credential: Credential;
  client?: ClientOptions | undefined;
  sandboxId?: string;
}

/** What is called. */
export interface CallSubject extends CallOptions {
  /** As programs know it: `commands.run`. */
  operation: string;
  /** Whether it may be executed twice without harm. Default: as its request's method and path say. */
  idempotent?: boolean | undefined;
  /** In the place of the client's. */
  retries?: number | undefined;
}

const defaultRetries = 3;

/** Makes calls to one server: each is as many requests as it takes, within one deadline. */
export class Caller {
  readonly #options: CallerOptions;
  readonly #origin: string;

  constructor(options: CallerOptions) {
    this.#options = options;
    this.#origin = new URL(options.baseUrl).origin;
  }

  /** Makes a call that has one answer. `attempt` is run anew for each attempt. */
  async run<T>(
    subject: CallSubject,
    attempt: (fetch: AuthorizedFetch, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const call = this.begin(subject);
    try {
      return await call.run(attempt);
    } finally {
      call.deadline.end();
    }
  }

  /** Begins a call whose answer goes on after `run`: it is the caller who ends its deadline. */
  begin(subject: CallSubject): Call {
    const { client = {}, credential } = this.#options;
    const requestTimeoutMs = subject.requestTimeoutMs ?? client.requestTimeoutMs;
    const deadline = startDeadline(
      { ...subject, ...(requestTimeoutMs !== undefined && { requestTimeoutMs }) },
      subject.operation,
    );
    const detach = credential.attach?.((error) => deadline.cancel(error));
    const end = (): void => {
      detach?.();
      deadline.end();
    };
    return new Call(this.#options, this.#origin, subject, { ...deadline, end });
  }
}

/** One call. */
export class Call {
  readonly deadline: Deadline;
  readonly #options: CallerOptions;
  readonly #origin: string;
  readonly #subject: CallSubject;
  readonly #observer: CallObserver;
  #idempotent: boolean;
  #resendable = true;
  /** Whether the attempt got as far as a request: a credential that is not to be had is no harm to any. */
  #isSent = false;

  constructor(options: CallerOptions, origin: string, subject: CallSubject, deadline: Deadline) {
    this.deadline = deadline;
    this.#options = options;
    this.#origin = origin;
    this.#subject = subject;
    this.#observer = new CallObserver(subject.operation, options.sandboxId, options.client ?? {});
    this.#idempotent = subject.idempotent ?? false;
  }

  /** Runs attempts until one succeeds, or none may follow. */
  async run<T>(attempt: (fetch: AuthorizedFetch, signal: AbortSignal) => Promise<T>): Promise<T> {
    const { signal } = this.deadline;
    const retries = this.#subject.retries ?? this.#options.client?.retries ?? defaultRetries;
    const backoff = createBackoff();
    for (;;) {
      try {
        const answer = await attempt(this.#fetch(), signal);
        giveBack(this.#origin);
        return answer;
      } catch (thrown) {
        const error = signal.aborted ? signal.reason : thrown;
        const delayMs =
          signal.aborted || this.#observer.attempt > retries
            ? undefined
            : retryDelay(error, {
                origin: this.#origin,
                ...this.#repeat(),
                backoff,
                remainingMs: this.deadline.remainingMs(),
              });
        if (delayMs === undefined) throw this.failed(error);
        this.#observer.retry(error as Error, delayMs);
        await pause(delayMs, signal).catch((reason: unknown) => {
          throw this.failed(reason, error);
        });
        this.#observer.attempt++;
      }
    }
  }

  /** The call came to nothing, at once or later on. Returns the error with what is known of it here. */
  failed(error: unknown, before?: unknown): unknown {
    this.#options.credential.heed?.(error);
    const byCaller = this.#subject.signal?.aborted === true;
    if (!byCaller && isE2BEdgeError(error)) {
      Object.assign(error, {
        attempts: this.#observer.attempt,
        retryable: isRetryable(error, this.#repeat()),
        ...(error.cause === undefined && before !== undefined && { cause: before }),
      });
    }
    this.#observer.failed(error, byCaller);
    return error;
  }

  /** What may be done now that an attempt has failed. */
  #repeat(): Pick<FailedAttempt, 'idempotent' | 'resendable'> {
    return { idempotent: this.#idempotent || !this.#isSent, resendable: this.#resendable || !this.#isSent };
  }

  /** `fetch` for one attempt, which also takes note of what may be done should it fail. */
  #fetch(): AuthorizedFetch {
    const fetch = authorizeFetch(this.#options.credential, (url, init) => {
      this.#isSent = true;
      return this.#observer.fetch(url, init);
    });
    return (url, init, from) => {
      this.#isSent = false;
      this.#idempotent = this.#subject.idempotent ?? isIdempotent(url, init, from);
      this.#resendable = !(init.body instanceof ReadableStream);
      if (this.#idempotent || from !== 'rpc') return fetch(url, init, from);
      // Some runtimes send a request again by themselves when its connection dies: a broker takes each name once.
      const headers = { ...init.headers, 'idempotency-key': crypto.randomUUID() };
      return fetch(url, { ...init, headers }, from);
    };
  }
}
