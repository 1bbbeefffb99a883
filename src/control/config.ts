import { AuthenticationError, InvalidArgumentError } from '../errors.js';
import { check, checkOptions, flag, type Rule, type Rules, text } from '../transport/check-options.js';
import { type ClientOptions, clientOptions, clientRules, isHeaders } from '../transport/client-options.js';
import { defaultDomain } from '../transport/envd-endpoint.js';
import { isServiceUrl } from '../transport/service-url.js';

/** Where the control plane is, and what opens it. Each falls back to an environment variable when a call is made. */
export interface ConnectionOptions extends ClientOptions {
  /** The team's key. Default `E2B_API_KEY`. A function is asked at each call. */
  apiKey?: string | (() => string | Promise<string>);
  /** Default `E2B_DOMAIN`, or `e2b.app`. */
  domain?: string;
  /** The control plane. Default `E2B_API_URL`, or `https://api.{domain}`. */
  apiUrl?: string;
  /** One address for the envd of all sandboxes, without a path. Default `E2B_SANDBOX_URL`, or each sandbox's own. */
  sandboxUrl?: string;
  /**
   * True: there is no sandbox to create; calls go to an envd at `localhost:49983`, as `e2b-edge serve --debug` has
   * one, and other ports are `localhost`'s. Default `E2B_DEBUG`, or false.
   */
  debug?: boolean;
  /** Sent to the control plane, and to no sandbox. From a web page, E2B's own control plane allows none (CORS). */
  apiHeaders?: Record<string, string>;
  /**
   * An API key opens every sandbox of the team, so it must not be in a page; there use a broker's session and
   * `e2b-edge/browser`. True allows it all the same, for pages that only you open.
   */
  dangerouslyAllowBrowser?: boolean;
  /** Of the official SDK, where it has no effect either: a key is only checked for what a header cannot carry. */
  validateApiKey?: boolean;
  /** Of the official SDK. `fetch` has no such thing, so it is refused: pass a `fetch` that uses the proxy. */
  proxy?: string;
}

const host: Rule = [
  'a host name, with a port or without, and no https://',
  (value) => typeof value === 'string' && /^[\w.-]+(:\d+)?$/.test(value),
];

/** The rules of `ConnectionOptions`, to be spread into those of options that extend it. */
export const connectionRules: Rules<ConnectionOptions> = {
  ...clientRules,
  apiKey: ['a string, or a function that returns one', (value) => /string|function/.test(typeof value)],
  domain: host,
  apiUrl: text,
  sandboxUrl: text,
  debug: flag,
  apiHeaders: [
    'an object of texts that headers can carry, without x-api-key: that is apiKey',
    (value) => isHeaders(value) && !Object.keys(value).some((name) => /^x-api-key$/i.test(name)),
  ],
  dangerouslyAllowBrowser: flag,
  validateApiKey: flag,
  proxy: ['left out: pass a `fetch` that goes through the proxy', () => false],
};

/** The options with their defaults. */
export interface ConnectionConfig {
  apiKey(): Promise<string>;
  domain: string;
  apiUrl: string;
  sandboxUrl: string | undefined;
  debug: boolean;
  apiHeaders: Record<string, string> | undefined;
  /** What concerns all calls. */
  client: ClientOptions;
  /** False in a page: `fetch` cannot send streams there. */
  streamingUploads: boolean;
}

/**
 * Fills in the defaults, at the time of a call.
 * @param what the call, for messages.
 * @throws {AuthenticationError} code `api_key_in_browser`: a key was about to be used in a page.
 * @throws {InvalidArgumentError} code `invalid_url`: `apiUrl` or `sandboxUrl`.
 */
export function connectionConfig(
  options: ConnectionOptions = {},
  what: string = 'The options',
): ConnectionConfig {
  checkOptions(what, options, connectionRules);
  const page = isPage();
  if (page && !options.dangerouslyAllowBrowser) {
    throw new AuthenticationError(
      'An API key must not be used in a web page: whoever opens the page could take it. Keep it on your server, mount a broker there (e2b-edge/broker), and use Sandbox.connect({ session }) from e2b-edge/browser.',
      { code: 'api_key_in_browser' },
    );
  }
  const sandboxUrl = options.sandboxUrl ?? variable('E2B_SANDBOX_URL');
  const domain = options.domain ?? variable('E2B_DOMAIN') ?? defaultDomain;
  check('E2B_DOMAIN', domain, host);
  const debug = options.debug ?? variable('E2B_DEBUG')?.toLowerCase() === 'true';
  const apiUrl = debug ? 'http://localhost:3000' : `https://api.${domain}`;
  return {
    apiKey: async () =>
      usableKey(await (typeof options.apiKey === 'function' ? options.apiKey() : options.apiKey)),
    domain,
    apiUrl: address('apiUrl', options.apiUrl ?? variable('E2B_API_URL') ?? apiUrl),
    sandboxUrl: sandboxUrl && address('sandboxUrl', sandboxUrl),
    debug,
    apiHeaders: options.apiHeaders,
    client: clientOptions(options),
    streamingUploads: !page,
  };
}

/** Some options over others. What is `undefined` was not given, so that it clears nothing. */
export function mergeOptions<Options extends object>(
  under: ConnectionOptions | undefined,
  options: Options,
): Options {
  if (!under || typeof options !== 'object' || options === null) return options;
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...under, ...Object.fromEntries(given) } as Options;
}

/** Those of some options that concern all calls, without the signal, which concerns one. */
export function boundOptions(options: ConnectionOptions): ConnectionOptions {
  const { signal: _signal, ...rules } = connectionRules;
  const kept = Object.entries(options).filter(([name, value]) => name in rules && value !== undefined);
  return Object.fromEntries(kept);
}

function usableKey(given: string | undefined): string {
  const key = given ?? variable('E2B_API_KEY');
  if (!key) {
    throw new AuthenticationError(
      'No API key: pass apiKey, or set E2B_API_KEY. Keys are at https://e2b.dev/dashboard; a local server prints its own.',
      { code: 'api_key_missing' },
    );
  }
  // A header cannot carry more, and fetch's own words for that would show the key.
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new AuthenticationError(
      'The API key has characters that no key has: a space, a line break, a quote?',
      {
        code: 'api_key_malformed',
      },
    );
  }
  return key;
}

function address(name: string, url: string): string {
  if (!isServiceUrl(url)) {
    const shown = url.replace(/\/\/[^/]*@/, '//…@');
    throw new InvalidArgumentError(
      `The ${name} is "${shown}": it must begin with http:// or https://, and have no password, query or fragment.`,
      { code: 'invalid_url' },
    );
  }
  return url.replace(/\/+$/, '');
}

/** Deno asks for a permission, and without it there is nothing to be read. */
function variable(name: string): string | undefined {
  try {
    const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
    return process?.env?.[name] || undefined;
  } catch {
    return undefined;
  }
}

/** Whether this runs where everybody can look in: in a page, or in a worker of one. */
function isPage(): boolean {
  const { document, navigator, WorkerGlobalScope } = globalThis as {
    document?: unknown;
    navigator?: { userAgent?: string };
    WorkerGlobalScope?: unknown;
  };
  return (
    typeof document === 'object' ||
    (WorkerGlobalScope !== undefined && navigator?.userAgent?.startsWith('Mozilla/') === true)
  );
}
