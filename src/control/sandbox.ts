/// <reference lib="esnext.disposable" preserve="true" />

// biome-ignore-all lint/complexity/noThisInStatic: it is the subclass, with what a client has bound to it.

import { openLiveChannel } from '../channel/live-channel.js';
import { DurableLogs } from '../sandbox/durable-logs.js';
import { Git } from '../sandbox/git.js';
import { Sandbox as SessionSandbox } from '../sandbox/sandbox.js';
import { openSession, type SessionConnectOptions } from '../sandbox/session-connection.js';
import type { CallOptions } from '../transport/call-options.js';
import { check, checkOptions, whole } from '../transport/check-options.js';
import type { Connection } from '../transport/connection.js';
import { sandboxHost } from '../transport/envd-endpoint.js';
import { errorOfStatus } from '../transport/http-error.js';
import { envdVersions } from '../transport/version.js';
import { asyncDispose } from '../wire/async-dispose.js';
import type { SandboxMetrics } from '../wire/sandbox-metrics.js';
import { boundOptions, type ConnectionConfig, type ConnectionOptions, mergeOptions } from './config.js';
import { createOnce } from './create-once.js';
import { createOptions, newSandbox, type SandboxCreateOptions } from './create-options.js';
import { envdConnection } from './envd-connection.js';
import { seconds } from './lifecycle-options.js';
import { mcpPort, mcpTokenFile, startMcpGateway } from './mcp-gateway.js';
import type { SandboxNetworkUpdate } from './network-options.js';
import { SandboxApi, type SnapshotPaginator } from './sandbox-api.js';
import type { SandboxInfo } from './sandbox-info.js';
import {
  type CreateSnapshotOptions,
  checkSandboxId,
  connectRules,
  forkRules,
  type SandboxConnectOptions,
  type SandboxForkOptions,
  type SandboxMetricsOptions,
  type SandboxPauseOptions,
  type SnapshotListOptions,
} from './sandbox-options.js';
import { debugRecord, requireUsableEnvd, type SandboxOrigin } from './sandbox-origin.js';
import type { SnapshotInfo } from './snapshot-info.js';

const defaultForkLifeMs = 300_000;

/**
 * A sandbox, with the API key that made it: for servers and the edge.
 *
 * ```ts
 * await using sandbox = await Sandbox.create()
 * const { stdout } = await sandbox.commands.run('python3 -V')
 * ```
 */
export class Sandbox extends SandboxApi {
  /** What `create` takes where no template is named; for subclasses. */
  protected static readonly defaultTemplate: string = 'base';
  protected static readonly defaultMcpTemplate: string = 'mcp-gateway';

  /** The domain of the sandbox's own host names. */
  readonly sandboxDomain: string;
  /** What a request to one of its ports has to carry, as `e2b-traffic-access-token`, where its traffic is private. */
  readonly trafficAccessToken?: string;
  readonly git: Git;
  /** Kills the sandbox at the end of an `await using` block. */
  declare readonly [Symbol.asyncDispose]: () => Promise<void>;
  readonly #connection: Connection;
  readonly #config: ConnectionConfig;
  readonly #options: ConnectionOptions;
  #mcpToken: string | undefined;

  /** Use `create` or `connect`. @internal */
  constructor({ record, config, options }: SandboxOrigin) {
    const connection = envdConnection(record, config);
    const { envdVersion, envdAccessToken } = record;
    super({
      connection,
      channels: { connect: (target, _size, call) => openLiveChannel(connection, target, call) },
      durable: (controls) => new DurableLogs(connection, controls),
      files: { baseUrl: connection.baseUrl, envdVersion, envdAccessToken },
    });
    this.git = new Git(this.commands);
    this.sandboxDomain = record.domain || config.domain;
    if (record.trafficAccessToken) this.trafficAccessToken = record.trafficAccessToken;
    this.#connection = connection;
    this.#config = config;
    this.#options = boundOptions(options);
    this[asyncDispose] = async () => {
      await this.kill();
    };
  }

  /**
   * Creates a sandbox.
   *
   * An answer that is lost leaves none behind: what it made is found again by a mark in its metadata (see
   * `idempotencyKey`). When `signal` aborts, or `requestTimeoutMs` is over, what appears within half a minute after that
   * is killed in the background.
   * @throws {AuthenticationError} no key, a wrong one, or one in a web page.
   * @throws {RateLimitError} too many sandboxes.
   * @throws {TemplateError} code `envd_too_old`: the template's envd is older than 0.1.0.
   * @throws {NotFoundError} code `template_not_found`.
   * @throws {InvalidArgumentError} an option is wrong, before anything is sent.
   */
  static create<S extends typeof Sandbox>(this: S, options?: SandboxCreateOptions): Promise<InstanceType<S>>;
  static create<S extends typeof Sandbox>(
    this: S,
    template: string,
    options?: SandboxCreateOptions,
  ): Promise<InstanceType<S>>;
  static async create(
    templateOrOptions?: string | SandboxCreateOptions,
    more: SandboxCreateOptions = {},
  ): Promise<Sandbox> {
    const given = createOptions('Sandbox.create', templateOrOptions, more);
    const { mcp, idempotencyKey, waitUntil } = given;
    const body = newSandbox('Sandbox.create', mcp ? this.defaultMcpTemplate : this.defaultTemplate, given);
    const { api, config, call, merged: options } = this.open('Sandbox.create', given);
    if (config.debug) return new this({ record: debugRecord, config, options });
    const record = await createOnce(api, body, call, {
      idempotencyKey,
      // A page's requests may not have the header.
      sendKey: config.streamingUploads,
      logger: config.client.logger,
      waitUntil,
    });
    const sandbox = new this({ record, config, options });
    try {
      requireUsableEnvd(record);
      if (mcp) sandbox.#mcpToken = await startMcpGateway(sandbox, mcp, call);
      return sandbox;
    } catch (error) {
      // Of a key that the caller gave, others may hold the sandbox already.
      if (typeof idempotencyKey !== 'string') await sandbox.kill().catch(() => undefined);
      throw error;
    }
  }

  /** Takes up a sandbox with a session of a broker, without a key. */
  static override connect(options: SessionConnectOptions): Promise<SessionSandbox>;
  /**
   * Takes up a sandbox by its id; resumes it if it is paused.
   * @throws {SandboxNotFoundError} it was killed, reached its end time, or never was.
   */
  static override connect<S extends typeof Sandbox>(
    this: S,
    sandboxId: string,
    options?: SandboxConnectOptions,
  ): Promise<InstanceType<S>>;
  static override async connect(
    idOrSession: string | SessionConnectOptions,
    options: SandboxConnectOptions = {},
  ): Promise<Sandbox | SessionSandbox> {
    if (typeof idOrSession === 'object') return new SessionSandbox(await openSession(idOrSession));
    checkSandboxId('Sandbox.connect', idOrSession);
    checkOptions('Sandbox.connect', options, connectRules);
    const { timeoutMs, onResume } = options;
    const { api, config, call, merged } = this.open('Sandbox.connect', options);
    const record = config.debug
      ? { ...debugRecord, sandboxID: idOrSession }
      : await api.connect(
          idOrSession,
          {
            ...(timeoutMs !== undefined && { timeout: seconds(timeoutMs) }),
            ...(onResume === 'reboot' && { memory: false }),
          },
          call,
        );
    return new this({ record, config, options: merged });
  }

  /**
   * Makes copies of a running sandbox, memory and all. It stands still for a moment, and goes on as before. A lost
   * answer can leave copies behind, which end at their time.
   * @returns for each copy, the sandbox or why there is none.
   */
  static async fork<S extends typeof Sandbox>(
    this: S,
    sandboxId: string,
    options: SandboxForkOptions = {},
  ): Promise<Array<InstanceType<S> | Error>> {
    checkSandboxId('Sandbox.fork', sandboxId);
    checkOptions('Sandbox.fork', options, forkRules);
    const { timeoutMs = defaultForkLifeMs, count } = options;
    const { api, config, call, merged } = this.open('Sandbox.fork', options);
    const body = { timeout: seconds(timeoutMs), ...(count !== undefined && { count }) };
    const forks = await api.fork(sandboxId, body, call);
    return forks.map(({ sandbox: record, error }) => {
      if (record) return new this({ record, config, options: merged }) as InstanceType<S>;
      const { code = 500, message = 'The fork did not start.' } = error ?? {};
      return errorOfStatus(code, 'control', message, { statusCode: code });
    });
  }

  /** Makes the sandbox run again, should it be paused, and live for at least `timeoutMs` more. */
  async connect(options: SandboxConnectOptions = {}): Promise<this> {
    await Sandbox.connect(this.sandboxId, this.#with(options));
    return this;
  }

  /** Copies the sandbox; see `Sandbox.fork`. */
  fork(options: SandboxForkOptions = {}): Promise<Array<this | Error>> {
    const own = this.constructor as typeof Sandbox;
    return own.fork(this.sandboxId, this.#with(options)) as Promise<Array<this | Error>>;
  }

  /**
   * Kills the sandbox, with all that runs in it.
   * @returns false when it had ended already.
   */
  override kill(options: CallOptions = {}): Promise<boolean> {
    return Sandbox.kill(this.sandboxId, this.#with(options));
  }

  /** What is known of the sandbox. */
  override getInfo(options: CallOptions = {}): Promise<SandboxInfo> {
    return Sandbox.getInfo(this.sandboxId, this.#with(options));
  }

  /**
   * What the sandbox used, every few seconds of its life.
   * @throws {TemplateError} its envd is older than 0.1.5.
   */
  override async getMetrics(options: SandboxMetricsOptions = {}): Promise<SandboxMetrics[]> {
    const { metrics, diskMetrics } = envdVersions;
    this.#connection.requireEnvd(metrics, 'sandbox.getMetrics');
    if (!this.#connection.hasEnvd(diskMetrics)) {
      this.#options.logger?.warn?.(
        `sandbox.getMetrics: envd ${this.envdVersion} does not measure disks; ${diskMetrics} does.`,
      );
    }
    return Sandbox.getMetrics(this.sandboxId, this.#with(options));
  }

  /** Sets how long the sandbox lives from now on, in milliseconds: longer or shorter than before. 0 ends it now. */
  override setTimeout(timeoutMs: number, options: CallOptions = {}): Promise<void> {
    return Sandbox.setTimeout(this.sandboxId, timeoutMs, this.#with(options));
  }

  /** Replaces what the sandbox may connect to; what `network` leaves out is cleared. */
  updateNetwork(network: SandboxNetworkUpdate, options: CallOptions = {}): Promise<void> {
    return Sandbox.updateNetwork(this.sandboxId, network, this.#with(options));
  }

  /** Makes the sandbox run again, should it be paused: as `connect`. */
  override async resume(options: SandboxConnectOptions = {}): Promise<void> {
    await this.connect(options);
  }

  /** Pauses the sandbox; `connect` resumes it. False when it is paused already. */
  override pause(options: SandboxPauseOptions = {}): Promise<boolean> {
    return Sandbox.pause(this.sandboxId, this.#with(options));
  }

  /** @deprecated Use `pause`. */
  betaPause(options?: SandboxPauseOptions): Promise<boolean> {
    return this.pause(options);
  }

  /** Makes a snapshot; see `Sandbox.createSnapshot`. */
  createSnapshot(options: CreateSnapshotOptions = {}): Promise<SnapshotInfo> {
    return Sandbox.createSnapshot(this.sandboxId, this.#with(options));
  }

  /** Lists the snapshots that were made of the sandbox. */
  listSnapshots(options: Omit<SnapshotListOptions, 'sandboxId'> = {}): SnapshotPaginator {
    return Sandbox.listSnapshots({ ...this.#with(options), sandboxId: this.sandboxId });
  }

  /** The host name, without a scheme, at which a port of the sandbox is reached from outside. */
  getHost(port: number): string {
    check('sandbox.getHost: port', port, whole(1, 65_535));
    return this.#config.debug ? `localhost:${port}` : sandboxHost(this.sandboxId, port, this.sandboxDomain);
  }

  /** Where the gateway is that `create({ mcp })` started. */
  getMcpUrl(): string {
    return `https://${this.getHost(mcpPort)}/mcp`;
  }

  /**
   * What clients of the gateway must send as a bearer token.
   * @throws {FileNotFoundError} no gateway was started in the sandbox.
   */
  async getMcpToken(): Promise<string | undefined> {
    this.#mcpToken ??= await this.files.read(mcpTokenFile, { user: 'root' });
    return this.#mcpToken;
  }

  #with<Options extends object>(options: Options): Options {
    return mergeOptions(this.#options, options);
  }
}
