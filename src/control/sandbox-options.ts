/** The options of the calls on sandboxes and snapshots, and their rules; those of `create` are a page of their own. */

import { date, type MetricsOptions } from '../sandbox/metrics-options.js';
import type { PauseOptions } from '../sandbox/session-options.js';
import {
  check,
  checkOptions,
  flag,
  oneOf,
  type Rules,
  text,
  textMap,
  whole,
} from '../transport/check-options.js';
import { lifetime, lifetimeOrZero } from '../transport/lifetime.js';
import type { SandboxState } from '../wire/sandbox-summary.js';
import type { ConnectionOptions } from './config.js';

/** Whether a paused sandbox goes on where it was, or boots from its files alone. */
export type SandboxOnResume = 'restore' | 'reboot';

export interface SandboxConnectOptions extends ConnectionOptions {
  /**
   * The sandbox lives for at least so long from now on, in milliseconds; a running one never shorter than before.
   * 0 leaves the end of a running one as it is. Default 300 000, the server's own.
   */
  timeoutMs?: number;
  /** Default `restore`. An older control plane restores whatever is asked. */
  onResume?: SandboxOnResume;
}

export interface SandboxPauseOptions extends ConnectionOptions, PauseOptions {}

export interface SandboxForkOptions extends ConnectionOptions {
  /** How many, from 1 to 100. Default 1. */
  count?: number;
  /** How long each lives, in milliseconds. Default 300 000. */
  timeoutMs?: number;
}

export interface SandboxMetricsOptions extends ConnectionOptions, MetricsOptions {}

export interface CreateSnapshotOptions extends ConnectionOptions {
  /** A snapshot of a name that is taken becomes the newest of that name. Default: it has an id alone. */
  name?: string;
}

export type SandboxListOrder = 'asc' | 'desc';

interface PageOptions extends ConnectionOptions {
  /** Items a page, from 1 to 100. Default 100. */
  limit?: number;
  /** The `nextToken` of another list. */
  nextToken?: string;
}

export interface SandboxListOptions extends PageOptions {
  /** All of it must hold. */
  query?: {
    /** Among other metadata. */
    metadata?: Record<string, string>;
    /** Default: running and paused. */
    state?: SandboxState[];
    startedAfter?: Date;
    /** A template's id or name. */
    template?: string;
  };
  /** By the time of start. Default: the newest first. */
  order?: SandboxListOrder;
}

export interface SnapshotListOptions extends PageOptions {
  /** Those made of one sandbox. */
  sandboxId?: string;
  /** A snapshot's name or id, with a tag or without. */
  name?: string;
}

type Own<Options> = Rules<Omit<Options, keyof ConnectionOptions>>;

const state = oneOf('running', 'paused');
const pageRules = { limit: whole(1, 100), nextToken: text };

export const connectRules: Own<SandboxConnectOptions> = {
  timeoutMs: lifetimeOrZero('leaves the end of a running sandbox as it is'),
  onResume: oneOf('restore', 'reboot'),
};
export const pauseRules: Own<SandboxPauseOptions> = { keepMemory: flag };
export const forkRules: Own<SandboxForkOptions> = { count: whole(1, 100), timeoutMs: lifetime };
export const snapshotRules: Own<CreateSnapshotOptions> = { name: text };
export const snapshotListRules: Own<SnapshotListOptions> = { ...pageRules, sandboxId: text, name: text };
const listRules: Own<SandboxListOptions> = {
  ...pageRules,
  query: ['an object', (value) => typeof value === 'object'],
  order: oneOf('asc', 'desc'),
};
const queryRules: Rules<NonNullable<SandboxListOptions['query']>> = {
  metadata: textMap,
  state: [
    'a list of running and paused, with one of them at least',
    (value: unknown) => Array.isArray(value) && value.length > 0 && (value as never[]).every(state[1]),
  ],
  startedAfter: date,
  template: text,
};

export function checkListOptions(what: string, options: SandboxListOptions): void {
  checkOptions(what, options, listRules);
  if (options.query !== undefined) checkOptions(`${what}: query`, options.query, queryRules);
}

/** @throws {InvalidArgumentError} it is no id of a sandbox. */
export function checkSandboxId(what: string, sandboxId: string): void {
  check(`${what}: sandboxId`, sandboxId, [
    "a sandbox's id: letters, digits, - and _",
    (value) => typeof value === 'string' && /^[A-Za-z0-9_-]+$/.test(value),
  ]);
}
