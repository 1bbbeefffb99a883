import { AuthenticationError, isE2BEdgeError, PermissionDeniedError } from '../errors.js';
import { absoluteUrl } from '../transport/absolute-url.js';
import { type CallOptions, callOptions } from '../transport/call-options.js';
import { callRules, check, checkOptions, whole } from '../transport/check-options.js';
import type { ClientOptions } from '../transport/client-options.js';
import { lifetime } from '../transport/lifetime.js';
import { createRest, type RestCall } from '../transport/rest.js';
import type { SessionCredential } from '../transport/session-credential.js';
import {
  type MetricRecord,
  metricsQuery,
  type SandboxMetrics,
  sandboxMetrics,
} from '../wire/sandbox-metrics.js';
import { type SandboxSummary, type SandboxSummaryRecord, sandboxSummary } from '../wire/sandbox-summary.js';
import type { LifecycleGrant } from '../wire/session.js';
import { checkPath } from './file-options.js';
import { checkUrlOptions, type FileUrlOptions } from './file-url.js';
import { checkMetricsOptions, type MetricsOptions } from './metrics-options.js';
import { keepPreview, type Preview, type PreviewEntry } from './preview.js';
import {
  type Invitation,
  type InviteOptions,
  inviteRules,
  type PauseOptions,
  pauseRules,
  type ResumeOptions,
  resumeRules,
  type SessionEnd,
} from './session-options.js';

/** The longest that a broker signs a URL for, in seconds. */
const longestSignatureSeconds = 60;

type SessionCall = Pick<RestCall, 'operation' | 'method' | 'path' | 'query' | 'body'>;

/** What a session may do to its sandbox as a whole, and to itself. What it does not grant is refused before it is sent. */
export class SessionControl {
  readonly #credential: SessionCredential;
  readonly #client: ClientOptions;

  constructor(credential: SessionCredential, client: ClientOptions) {
    this.#credential = credential;
    this.#client = client;
  }

  async getInfo(options: CallOptions): Promise<SandboxSummary> {
    const operation = 'sandbox.getInfo';
    checkOptions(operation, options, callRules);
    this.#require('info', 'see what is known of the sandbox');
    return sandboxSummary(await this.#ask<SandboxSummaryRecord>(get(operation, ''), options));
  }

  async getMetrics(options: MetricsOptions): Promise<SandboxMetrics[]> {
    const operation = 'sandbox.getMetrics';
    checkMetricsOptions(operation, options);
    this.#require('info', 'see what the sandbox uses');
    const query = metricsQuery(options.start, options.end);
    return (await this.#ask<MetricRecord[]>({ ...get(operation, '/metrics'), query }, options)).map(
      sandboxMetrics,
    );
  }

  async setTimeout(timeoutMs: number, options: CallOptions): Promise<void> {
    const operation = 'sandbox.setTimeout';
    check(`${operation}: timeoutMs`, timeoutMs, lifetime);
    checkOptions(operation, options, callRules);
    this.#require('extend', 'put off the end of the sandbox');
    await this.#ask(post(operation, '/extend', { timeoutMs }), options);
  }

  async pause(options: PauseOptions): Promise<boolean> {
    const operation = 'sandbox.pause';
    checkOptions(operation, options, pauseRules);
    this.#require('pause', 'pause the sandbox');
    return (
      await this.#ask<{ paused: boolean }>(
        post(operation, '/pause', { keepMemory: options.keepMemory }),
        options,
      )
    ).paused;
  }

  async resume(options: ResumeOptions): Promise<void> {
    const operation = 'sandbox.resume';
    checkOptions(operation, options, resumeRules);
    this.#require('pause', 'resume the sandbox');
    await this.#ask(post(operation, '/resume', { timeoutMs: options.timeoutMs }), options);
  }

  async kill(options: CallOptions): Promise<boolean> {
    const operation = 'sandbox.kill';
    checkOptions(operation, options, callRules);
    this.#require('kill', 'kill the sandbox');
    return (await this.#ask<{ killed: boolean }>(post(operation, '/kill', {}), options)).killed;
  }

  async fileUrl(
    operation: string,
    op: 'read' | 'write',
    path: string | undefined,
    options: FileUrlOptions = {},
  ): Promise<string> {
    checkUrlOptions(operation, options);
    checkPath(operation, path);
    const { useSignatureExpiration: seconds = longestSignatureSeconds } = options;
    check(`${operation}: useSignatureExpiration`, seconds, whole(1, longestSignatureSeconds));
    if (!this.#credential.session.grant.files?.some((grant) => grant.op === op)) {
      throw notGranted(`${op} files`, `no files to ${op}`);
    }
    const body = { path, op, expiresInMs: seconds * 1000 };
    const { sign } = this.#credential.session.urls;
    return (await this.#ask<{ url: string }>(post(operation, '', body), options, sign)).url;
  }

  async invite(options: InviteOptions): Promise<Invitation> {
    const operation = 'sandbox.invite';
    checkOptions(operation, options, inviteRules);
    if (!this.#credential.session.invite) throw notGranted('invite others', 'nothing that it may pass on');
    const { grant, ttlMs, uses } = options;
    return this.#ask(post(operation, '/invite', { grant, ttlMs, uses }), options);
  }

  async openPreview(port: number, options: CallOptions): Promise<Preview> {
    const operation = 'sandbox.openPreview';
    check(`${operation}: port`, port, whole(1, 65_535));
    checkOptions(operation, options, callRules);
    const { grant, urls } = this.#credential.session;
    if (!urls.preview || !grant.ports?.includes(port)) {
      throw notGranted(`use port ${port}`, `no port ${port}`);
    }
    const url = urls.preview.replace('{port}', String(port));
    const enter = (call: CallOptions): Promise<PreviewEntry> =>
      this.#ask(post(operation, '.well-known/e2b-preview', {}), call, url, withCookies(this.#client));
    return keepPreview(enter, options, (onEnd) => this.#credential.attach(onEnd));
  }

  async endSession(options: CallOptions): Promise<SessionEnd> {
    const operation = 'sandbox.endSession';
    checkOptions(operation, options, callRules);
    const end = await this.#ask<SessionEnd>({ operation, method: 'DELETE', path: '' }, options).catch(
      (error: unknown) => {
        // Perhaps by an earlier try of this call, whose answer was lost, and what it said of the sandbox with it.
        if (isE2BEdgeError(error, 'session_revoked')) return { revoked: true, killed: undefined };
        throw error;
      },
    );
    this.#credential.end(
      new AuthenticationError('This session was ended here.', { code: 'session_revoked' }),
    );
    return end;
  }

  /** Each of them says what is to be, not what is to be done: it may be asked twice. */
  async #ask<T>(
    call: SessionCall,
    options: CallOptions,
    url: string = this.#credential.session.urls.session,
    client: ClientOptions = this.#client,
  ): Promise<T> {
    const rest = createRest(
      {
        baseUrl: absoluteUrl(url),
        credential: this.#credential,
        client,
        sandboxId: this.#credential.session.sandboxId,
      },
      'broker',
    );
    const { body } = await rest({ ...callOptions(options), ...call, idempotent: true });
    return body as T;
  }

  #require(grant: LifecycleGrant, what: string): void {
    if (!this.#credential.session.grant.lifecycle?.includes(grant))
      throw notGranted(what, `no lifecycle "${grant}"`);
  }
}

/** A browser takes a cookie of another origin, and sends it there, only where it was told so. */
function withCookies(client: ClientOptions): ClientOptions {
  const { fetch = globalThis.fetch } = client;
  return { ...client, fetch: (url, init) => fetch(url, { ...init, credentials: 'include' }) };
}

function get(operation: string, path: string): SessionCall {
  return { operation, method: 'GET', path };
}

function post(operation: string, path: string, body: object): SessionCall {
  return { operation, method: 'POST', path, body };
}

function notGranted(what: string, lacking: string): PermissionDeniedError {
  return new PermissionDeniedError(`This session may not ${what}: its grant has ${lacking}.`);
}
