// biome-ignore-all lint/complexity/noThisInStatic: it is the subclass, with what a client has bound to it.

import { checkMetricsOptions } from '../sandbox/metrics-options.js';
import { Sandbox as SessionSandbox } from '../sandbox/sandbox.js';
import { type CallOptions, callOptions } from '../transport/call-options.js';
import { check, checkOptions, text } from '../transport/check-options.js';
import { lifetimeOrZero } from '../transport/lifetime.js';
import { type SandboxMetrics, sandboxMetrics } from '../wire/sandbox-metrics.js';
import { type ControlApi, createControlApi } from './api.js';
import { type ConnectionConfig, type ConnectionOptions, connectionConfig, mergeOptions } from './config.js';
import { seconds } from './lifecycle-options.js';
import { networkUpdateBody } from './network-body.js';
import type { SandboxNetworkUpdate } from './network-options.js';
import { Paginator } from './paginator.js';
import { type SandboxInfo, sandboxInfo } from './sandbox-info.js';
import {
  type CreateSnapshotOptions,
  checkListOptions,
  checkSandboxId,
  pauseRules,
  type SandboxListOptions,
  type SandboxMetricsOptions,
  type SandboxPauseOptions,
  type SnapshotListOptions,
  snapshotListRules,
  snapshotRules,
} from './sandbox-options.js';
import { type SnapshotInfo, snapshotInfo } from './snapshot-info.js';

export type SandboxPaginator = Paginator<SandboxInfo>;
export type SnapshotPaginator = Paginator<SnapshotInfo>;

/** What a call with the API key is made with. */
export interface ControlCall<Options> {
  api: ControlApi;
  config: ConnectionConfig;
  /** What concerns this call alone. */
  call: CallOptions;
  /** With those that a client has bound. */
  merged: Options;
}

/**
 * What is done to a sandbox by its id, with the API key. Each call throws `AuthenticationError` where the key is missing
 * or refused, `SandboxNotFoundError` where the sandbox was killed, reached its end time or never was, and
 * `InvalidArgumentError` for an argument that is wrong, before anything is sent.
 */
export class SandboxApi extends SessionSandbox {
  /** Options that a client has bound; those of a call go before them. */
  protected static readonly boundOptions: ConnectionOptions | undefined;

  /** @internal */
  protected static open<Options extends ConnectionOptions>(
    what: string,
    options: Options,
  ): ControlCall<Options> {
    const merged = mergeOptions(this.boundOptions, options);
    const config = connectionConfig(merged, what);
    return { api: createControlApi(config), config, call: callOptions(merged), merged };
  }

  /**
   * Kills a sandbox, with all that runs in it.
   * @returns false when there is none of that id: also when an earlier try of this call, whose answer was lost, killed it.
   */
  static async kill(sandboxId: string, options: ConnectionOptions = {}): Promise<boolean> {
    checkSandboxId('Sandbox.kill', sandboxId);
    const { api, config, call } = this.open('Sandbox.kill', options);
    return config.debug || api.kill(sandboxId, call);
  }

  /** What is known of a sandbox. */
  static async getInfo(sandboxId: string, options: ConnectionOptions = {}): Promise<SandboxInfo> {
    checkSandboxId('Sandbox.getInfo', sandboxId);
    const { api, call } = this.open('Sandbox.getInfo', options);
    return sandboxInfo(await api.info(sandboxId, call));
  }

  /** @deprecated Use `getInfo`. */
  static getFullInfo(sandboxId: string, options?: ConnectionOptions): Promise<SandboxInfo> {
    return this.getInfo(sandboxId, options);
  }

  /** What a sandbox used, every few seconds of its life. */
  static async getMetrics(sandboxId: string, options: SandboxMetricsOptions = {}): Promise<SandboxMetrics[]> {
    checkSandboxId('Sandbox.getMetrics', sandboxId);
    checkMetricsOptions('Sandbox.getMetrics', options);
    const { api, config, call } = this.open('Sandbox.getMetrics', options);
    return config.debug ? [] : (await api.metrics(sandboxId, options, call)).map(sandboxMetrics);
  }

  /**
   * Sets how long a running sandbox lives from now on: longer or shorter than before.
   * @param timeoutMs in milliseconds, from 1 000 to 86 400 000; 0 ends it now. Your plan may allow less.
   */
  static async setTimeout(
    sandboxId: string,
    timeoutMs: number,
    options: ConnectionOptions = {},
  ): Promise<void> {
    checkSandboxId('Sandbox.setTimeout', sandboxId);
    check('Sandbox.setTimeout: timeoutMs', timeoutMs, lifetimeOrZero('ends the sandbox now'));
    const { api, config, call } = this.open('Sandbox.setTimeout', options);
    if (!config.debug) await api.setTimeout(sandboxId, seconds(timeoutMs), call);
  }

  /** Replaces what a running sandbox may connect to. All of it: what `network` leaves out is cleared. */
  static async updateNetwork(
    sandboxId: string,
    network: SandboxNetworkUpdate,
    options: ConnectionOptions = {},
  ): Promise<void> {
    checkSandboxId('Sandbox.updateNetwork', sandboxId);
    const body = networkUpdateBody('Sandbox.updateNetwork: network', network);
    const { api, call } = this.open('Sandbox.updateNetwork', options);
    await api.updateNetwork(sandboxId, body, call);
  }

  /**
   * Pauses a sandbox; `connect` resumes it.
   * @returns false when it is paused already, or changes its state just now: also when an earlier try of this call, whose
   * answer was lost, paused it.
   */
  static async pause(sandboxId: string, options: SandboxPauseOptions = {}): Promise<boolean> {
    checkSandboxId('Sandbox.pause', sandboxId);
    checkOptions('Sandbox.pause', options, pauseRules);
    const { keepMemory: memory } = options;
    const { api, call } = this.open('Sandbox.pause', options);
    return api.pause(sandboxId, memory === undefined ? {} : { memory }, call);
  }

  /** @deprecated Use `pause`. */
  static betaPause(sandboxId: string, options?: SandboxPauseOptions): Promise<boolean> {
    return this.pause(sandboxId, options);
  }

  /**
   * Makes a snapshot of a sandbox, which `Sandbox.create` takes in the place of a template, also after the sandbox is
   * gone. The sandbox stands still meanwhile. A lost answer can leave a snapshot behind: `listSnapshots` finds it.
   */
  static async createSnapshot(sandboxId: string, options: CreateSnapshotOptions = {}): Promise<SnapshotInfo> {
    checkSandboxId('Sandbox.createSnapshot', sandboxId);
    checkOptions('Sandbox.createSnapshot', options, snapshotRules);
    const { name } = options;
    const { api, call } = this.open('Sandbox.createSnapshot', options);
    return snapshotInfo(await api.createSnapshot(sandboxId, name === undefined ? {} : { name }, call));
  }

  /** Lists snapshots. */
  static listSnapshots(options: SnapshotListOptions = {}): SnapshotPaginator {
    checkOptions('Sandbox.listSnapshots', options, snapshotListRules);
    const { sandboxId, name, limit } = options;
    return new Paginator(options.nextToken, async (nextToken, own) => {
      const { api, call } = this.open('Sandbox.listSnapshots', mergeOptions(options, own));
      const page = await api.listSnapshots({ sandboxId, name, limit, nextToken }, call);
      return { ...page, items: page.items.map(snapshotInfo) };
    });
  }

  /**
   * Deletes a snapshot.
   * @returns false when there is none of that id.
   * @throws {InvalidArgumentError} sandboxes that were made of it are still there.
   */
  static async deleteSnapshot(snapshotId: string, options: ConnectionOptions = {}): Promise<boolean> {
    check('Sandbox.deleteSnapshot: snapshotId', snapshotId, text);
    const { api, call } = this.open('Sandbox.deleteSnapshot', options);
    return api.deleteSnapshot(snapshotId, call);
  }

  /** Lists the team's sandboxes, running and paused ones. */
  static list(options: SandboxListOptions = {}): SandboxPaginator {
    checkListOptions('Sandbox.list', options);
    const { query, order, limit } = options;
    return new Paginator(options.nextToken, async (nextToken, own) => {
      const { api, call } = this.open('Sandbox.list', mergeOptions(options, own));
      const page = await api.list({ ...query, order, limit, nextToken }, call);
      return { ...page, items: page.items.map(sandboxInfo) };
    });
  }
}
