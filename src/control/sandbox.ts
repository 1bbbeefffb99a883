import { openLiveChannel } from '../channel/live-channel.js';
import { InvalidArgumentError, TemplateError } from '../errors.js';
import { Sandbox as SessionSandbox } from '../sandbox/sandbox.js';
import { openSession, type SessionConnectOptions } from '../sandbox/session-connection.js';
import type { CallOptions } from '../transport/call-options.js';
import { Connection } from '../transport/connection.js';
import { fixedCredential } from '../transport/credential.js';
import { envdEndpoint, sandboxHost } from '../transport/envd-endpoint.js';
import { isVersionAtLeast } from '../transport/version.js';
import { type ControlApi, createControlApi } from './api.js';
import { type ConnectionConfig, type ConnectionOptions, connectionConfig } from './config.js';
import { SandboxPaginator } from './paginator.js';
import type { NewSandbox, SandboxRecord } from './records.js';
import { type SandboxInfo, type SandboxState, sandboxInfo } from './sandbox-info.js';

export interface SandboxCreateOptions extends ConnectionOptions {
  /** A template's id or name. Default `base`. */
  template?: string;
  /** How long the sandbox lives, in milliseconds, unless `setTimeout` says otherwise. Default 300 000, the server's own. */
  timeoutMs?: number;
  /** Your own labels, to find it by. */
  metadata?: Record<string, string>;
  /** The environment of everything that runs in it. */
  envs?: Record<string, string>;
  /** Whether its programs reach the internet. Default true. */
  allowInternetAccess?: boolean;
}

export interface SandboxConnectOptions extends ConnectionOptions {
  /** The sandbox lives for at least so long from now on, in milliseconds. Default 300 000, the server's own. */
  timeoutMs?: number;
}

export interface SandboxListOptions extends ConnectionOptions {
  query?: {
    metadata?: Record<string, string>;
    /** Default: running and paused. */
    state?: SandboxState[];
    startedAfter?: Date;
    /** A template's id or name. */
    template?: string;
  };
  /** By the time of start. */
  order?: 'asc' | 'desc';
  /** Sandboxes a page, 1 to 100. Default 100. */
  limit?: number;
  /** The `nextToken` of another list. */
  nextToken?: string;
}

/**
 * A sandbox, with the API key that made it: for servers and the edge.
 *
 * ```ts
 * await using sandbox = await Sandbox.create()
 * const { stdout } = await sandbox.commands.run('python3 -V')
 * ```
 */
export class Sandbox extends SessionSandbox {
  /** The domain of the sandbox's own host names. */
  readonly sandboxDomain: string;
  /** What a request to one of its ports has to carry, where its traffic is private. */
  readonly trafficAccessToken: string | undefined;
  readonly #options: ConnectionOptions;

  private constructor(record: SandboxRecord, config: ConnectionConfig, options: SandboxConnectOptions) {
    const { signal: _signal, timeoutMs: _timeoutMs, ...kept } = options;
    const domain = record.domain || config.domain;
    const connection = envdConnection(record, domain, config);
    super({
      connection,
      channels: { connect: (target, _size, call) => openLiveChannel(connection, target, call) },
      kill: (call) => Sandbox.kill(record.sandboxID, { ...kept, ...call }),
    });
    this.sandboxDomain = domain;
    this.trafficAccessToken = record.trafficAccessToken ?? undefined;
    this.#options = kept;
  }

  /**
   * Creates a sandbox.
   * @throws {AuthenticationError} no key, a wrong one, or one in a web page.
   * @throws {RateLimitError} too many sandboxes.
   * @throws {TemplateError} the template's envd is too old.
   */
  static create(options?: SandboxCreateOptions): Promise<Sandbox>;
  static create(template: string, options?: SandboxCreateOptions): Promise<Sandbox>;
  static async create(
    templateOrOptions?: string | SandboxCreateOptions,
    options: SandboxCreateOptions = {},
  ): Promise<Sandbox> {
    const merged =
      typeof templateOrOptions === 'string'
        ? { ...options, template: templateOrOptions }
        : { ...options, ...templateOrOptions };
    const config = connectionConfig(merged);
    const api = createControlApi(config);
    const record = await api.create(newSandbox(merged), callOptions(merged));
    if (!isVersionAtLeast(record.envdVersion, '0.1.0')) {
      await api.kill(record.sandboxID);
      throw new TemplateError(
        `The template's envd is ${record.envdVersion} and at least 0.1.0 is needed: build the template again.`,
        { code: 'envd_too_old' },
      );
    }
    return new Sandbox(record, config, merged);
  }

  /** Takes up a sandbox with a session of a broker, without a key. */
  static override connect(options: SessionConnectOptions): Promise<SessionSandbox>;
  /**
   * Takes up a sandbox by its id; resumes it if it is paused.
   * @throws {SandboxNotFoundError} it was killed, reached its end time, or never was.
   */
  static override connect(sandboxId: string, options?: SandboxConnectOptions): Promise<Sandbox>;
  static override async connect(
    idOrSession: string | SessionConnectOptions,
    options: SandboxConnectOptions = {},
  ): Promise<Sandbox | SessionSandbox> {
    if (typeof idOrSession === 'object') return new SessionSandbox(await openSession(idOrSession));
    const config = connectionConfig(options);
    const { timeoutMs } = options;
    const body = timeoutMs === undefined ? {} : { timeout: seconds(timeoutMs) };
    const record = await createControlApi(config).connect(checkedId(idOrSession), body, callOptions(options));
    return new Sandbox(record, config, options);
  }

  /** Makes the sandbox run again, should it be paused, and live for at least `timeoutMs` more. */
  async connect(options: SandboxConnectOptions = {}): Promise<this> {
    await Sandbox.connect(this.sandboxId, { ...this.#options, ...options });
    return this;
  }

  /** Kills a sandbox; false when there is none of that id. */
  static async kill(sandboxId: string, options: ConnectionOptions = {}): Promise<boolean> {
    return controlApi(options).kill(checkedId(sandboxId), callOptions(options));
  }

  /** What is known of a sandbox. */
  static async getInfo(sandboxId: string, options: ConnectionOptions = {}): Promise<SandboxInfo> {
    return sandboxInfo(await controlApi(options).info(checkedId(sandboxId), callOptions(options)));
  }

  /** Sets how long a sandbox lives from now on, in milliseconds: longer or shorter than before. */
  static async setTimeout(
    sandboxId: string,
    timeoutMs: number,
    options: ConnectionOptions = {},
  ): Promise<void> {
    await controlApi(options).setTimeout(checkedId(sandboxId), seconds(timeoutMs), callOptions(options));
  }

  /** Lists the team's sandboxes, page by page. */
  static list(options: SandboxListOptions = {}): SandboxPaginator {
    const { query, order, limit, nextToken } = options;
    return new SandboxPaginator(() => controlApi(options), {
      ...query,
      ...(order && { order }),
      ...(limit !== undefined && { limit }),
      ...(nextToken !== undefined && { nextToken }),
    });
  }

  /** What is known of the sandbox. */
  getInfo(options?: CallOptions): Promise<SandboxInfo> {
    return Sandbox.getInfo(this.sandboxId, { ...this.#options, ...options });
  }

  /** Sets how long the sandbox lives from now on, in milliseconds: longer or shorter than before. */
  setTimeout(timeoutMs: number, options?: CallOptions): Promise<void> {
    return Sandbox.setTimeout(this.sandboxId, timeoutMs, { ...this.#options, ...options });
  }

  /** The host name, without a scheme, at which a port of the sandbox is reached from outside. */
  getHost(port: number): string {
    return sandboxHost(this.sandboxId, port, this.sandboxDomain);
  }

  /** Kills the sandbox at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

function controlApi(options: ConnectionOptions): ControlApi {
  return createControlApi(connectionConfig(options));
}

function envdConnection(record: SandboxRecord, domain: string, config: ConnectionConfig): Connection {
  const { baseUrl, headers } = envdEndpoint({
    sandboxId: record.sandboxID,
    domain,
    sandboxUrl: config.sandboxUrl,
    envdAccessToken: record.envdAccessToken,
  });
  return new Connection({
    sandboxId: record.sandboxID,
    envdVersion: record.envdVersion,
    baseUrl,
    credential: fixedCredential(headers),
    client: config.client,
    streamingUploads: config.streamingUploads,
  });
}

function newSandbox(options: SandboxCreateOptions): NewSandbox {
  const { template = 'base', timeoutMs, metadata, envs, allowInternetAccess } = options;
  return {
    templateID: template,
    ...(timeoutMs !== undefined && { timeout: seconds(timeoutMs) }),
    ...(metadata && { metadata }),
    ...(envs && { envVars: envs }),
    ...(allowInternetAccess !== undefined && { allow_internet_access: allowInternetAccess }),
  };
}

function callOptions({ signal, requestTimeoutMs }: CallOptions): CallOptions {
  return { ...(signal && { signal }), ...(requestTimeoutMs !== undefined && { requestTimeoutMs }) };
}

/** The control plane counts in whole seconds. */
function seconds(ms: number): number {
  if (!Number.isFinite(ms) || ms < 0) {
    throw new InvalidArgumentError(`timeoutMs is ${ms}: it must be a number of milliseconds from 0 on.`);
  }
  return Math.ceil(ms / 1000);
}

function checkedId(sandboxId: string): string {
  if (typeof sandboxId === 'string' && /^[A-Za-z0-9_-]+$/.test(sandboxId)) return sandboxId;
  throw new InvalidArgumentError(`"${sandboxId}" is not the id of a sandbox.`, {
    code: 'invalid_sandbox_id',
  });
}
