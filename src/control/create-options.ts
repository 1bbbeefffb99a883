import {
  callback,
  check,
  checkOptions,
  flag,
  isObject,
  isTextMap,
  object,
  type Rules,
  text,
  textMap,
} from '../transport/check-options.js';
import { lifetime } from '../transport/lifetime.js';
import type { ConnectionOptions } from './config.js';
import { iamBody, type SandboxIamOptions } from './iam.js';
import { lifecycleBody, type SandboxLifecycle, seconds } from './lifecycle-options.js';
import { networkBody } from './network-body.js';
import type { SandboxNetworkOptions } from './network-options.js';
import type { NewSandbox } from './records.js';

export interface SandboxCreateOptions extends ConnectionOptions {
  /** The template's name or id, or a snapshot's id. Default `base`; with `mcp`, `mcp-gateway`. */
  template?: string;
  /** How long it lives, in milliseconds, from 1 000 to 86 400 000; your plan may allow less. Default 300 000. */
  timeoutMs?: number;
  metadata?: Record<string, string>;
  /** Environment variables of all its processes. */
  envs?: Record<string, string>;
  /** False cuts it off from the internet. */
  allowInternetAccess?: boolean;
  network?: SandboxNetworkOptions;
  /** What happens at the end of its life. Default: it is killed. */
  lifecycle?: SandboxLifecycle;
  /** Identity tokens for `network.rules`. */
  iam?: SandboxIamOptions;
  /** The servers of an MCP gateway that is started in the sandbox; see `getMcpUrl`. Needs its template. */
  mcp?: McpServer;
  /** Volumes, or their names, by the path at which they are mounted. Needs envd 0.5.14. */
  volumeMounts?: Record<string, string | { name: string }>;
  /** Of the official SDK, where it has no effect either: every sandbox asks for its token. */
  secure?: boolean;
  /**
   * Names this creation: asked again with the same key, also from another process, `create` takes up the sandbox that
   * the key made, if it is still there, or else the oldest copy that was forked of it. Its other options are those of
   * the first call. 1 to 255 lower-case letters, digits and hyphens. By default each call has a
   * random one, which is enough for the answer of this one call not to be lost. False does without: then no sandbox is
   * looked up, and none is marked.
   */
  idempotencyKey?: string | false;
  /**
   * Given the work that goes on in the background when a create was given up. For hosts that stop everything once they
   * have answered, as Workers do: `waitUntil: (work) => ctx.waitUntil(work)`.
   */
  waitUntil?: (work: Promise<void>) => void;
}

/** The gateway's configuration, which is not looked into. */
export type McpServer = object;

const createRules: Rules<Omit<SandboxCreateOptions, keyof ConnectionOptions>> = {
  template: text,
  timeoutMs: lifetime,
  metadata: textMap,
  envs: [
    'an object of strings, whose names are not empty and have no "="; nothing in it may have a NUL',
    (value) =>
      isTextMap(value) &&
      Object.entries<string>(value).every(([name, entry]) => /^[^=\0]+$/.test(name) && !entry.includes('\0')),
  ],
  allowInternetAccess: flag,
  network: object,
  lifecycle: object,
  iam: object,
  mcp: object,
  volumeMounts: ['an object of volumes or their names, by path', isObject],
  secure: flag,
  idempotencyKey: [
    'false, or 1 to 255 lower-case letters, digits and hyphens',
    (value) => value === false || (typeof value === 'string' && /^[a-z0-9-]{1,255}$/.test(value)),
  ],
  waitUntil: callback,
};

/**
 * The options of a create, whose first argument may be the template or they themselves.
 * @throws {InvalidArgumentError} one of them is wrong.
 */
export function createOptions(
  what: string,
  first: unknown,
  more: SandboxCreateOptions,
): SandboxCreateOptions {
  const options = typeof first === 'object' ? (first as SandboxCreateOptions) : more;
  checkOptions(what, options, createRules);
  if (options === first || first === undefined) return options;
  check(`${what}: template`, first, text);
  return { ...options, template: first as string };
}

/**
 * The body of a create.
 * @throws {InvalidArgumentError} an option is wrong within, or contradicts another; nothing has been sent.
 */
export function newSandbox(what: string, defaultTemplate: string, options: SandboxCreateOptions): NewSandbox {
  const { template, timeoutMs, metadata, envs, allowInternetAccess, network, lifecycle, mcp } = options;
  const iam = options.iam && iamBody(`${what}: iam`, options.iam);
  const tokens = Object.keys(iam?.tokens ?? {});
  return {
    templateID: template ?? defaultTemplate,
    ...(timeoutMs !== undefined && { timeout: seconds(timeoutMs) }),
    ...(metadata && { metadata }),
    ...(envs && { envVars: envs }),
    ...(allowInternetAccess !== undefined && { allow_internet_access: allowInternetAccess }),
    ...(network && { network: networkBody(`${what}: network`, network, tokens) }),
    ...(lifecycle && lifecycleBody(`${what}: lifecycle`, lifecycle)),
    ...(iam && { iam }),
    ...(mcp && { mcp }),
    ...(options.volumeMounts && { volumeMounts: volumeMounts(what, options.volumeMounts) }),
  };
}

function volumeMounts(
  what: string,
  mounts: Record<string, string | { name: string }>,
): { name: string; path: string }[] {
  return Object.entries(mounts).map(([path, volume]) => {
    const name = typeof volume === 'string' ? volume : volume?.name;
    check(`${what}: volumeMounts: the volume at "${path}"`, name, text);
    return { name, path };
  });
}
