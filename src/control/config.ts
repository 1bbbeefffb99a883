import { AuthenticationError, InvalidArgumentError } from '../errors.js';
import type { FetchLike } from '../transport/authorized-fetch.js';
import type { CallOptions } from '../transport/call-options.js';
import { defaultDomain } from '../transport/envd-endpoint.js';

/** Where the control plane is, and what opens it. Each falls back to an environment variable when a call is made. */
export interface ConnectionOptions extends CallOptions {
  /** The team's key. Default `E2B_API_KEY`. A function is asked at each call. */
  apiKey?: string | (() => string | Promise<string>);
  /** Default `E2B_DOMAIN`, or `e2b.app`. */
  domain?: string;
  /** The control plane. Default `E2B_API_URL`, or `https://api.{domain}`. */
  apiUrl?: string;
  /** One address for the envd of all sandboxes, without a path. Default `E2B_SANDBOX_URL`, or each sandbox's own. */
  sandboxUrl?: string;
  /** How often a refused call is tried again: one with 429 and `Retry-After`, or a GET that failed. Default 3. */
  retries?: number;
  /** In the place of the global `fetch`. */
  fetch?: FetchLike;
  /**
   * An API key opens every sandbox of the team, so it must not be in a page; there use a broker's session and
   * `e2b-edge/browser`. True allows it all the same, for pages that only you open.
   */
  dangerouslyAllowBrowser?: boolean;
}

/** The options with their defaults. */
export interface ConnectionConfig {
  apiKey(): Promise<string>;
  domain: string;
  apiUrl: string;
  sandboxUrl: string | undefined;
  retries: number | undefined;
  fetch: FetchLike | undefined;
  requestTimeoutMs: number | undefined;
  /** False in a page: `fetch` cannot send streams there. */
  streamingUploads: boolean;
}

/**
 * Fills in the defaults, at the time of a call.
 * @throws {AuthenticationError} code `api_key_in_browser`: a key was about to be used in a page.
 * @throws {InvalidArgumentError} code `invalid_url`: `apiUrl` or `sandboxUrl`.
 */
export function connectionConfig(options: ConnectionOptions = {}): ConnectionConfig {
  const page = isPage();
  if (page && !options.dangerouslyAllowBrowser) {
    throw new AuthenticationError(
      'An API key must not be used in a web page: whoever opens the page could take it. Keep it on your server, mount a broker there (e2b-edge/broker), and use Sandbox.connect({ session }) from e2b-edge/browser.',
      { code: 'api_key_in_browser' },
    );
  }
  const sandboxUrl = options.sandboxUrl ?? variable('E2B_SANDBOX_URL');
  const domain = options.domain ?? variable('E2B_DOMAIN') ?? defaultDomain;
  return {
    apiKey: async () =>
      usableKey(await (typeof options.apiKey === 'function' ? options.apiKey() : options.apiKey)),
    domain,
    apiUrl: address('apiUrl', options.apiUrl ?? variable('E2B_API_URL') ?? `https://api.${domain}`),
    sandboxUrl: sandboxUrl && address('sandboxUrl', sandboxUrl),
    retries: options.retries,
    fetch: options.fetch,
    requestTimeoutMs: options.requestTimeoutMs,
    streamingUploads: !page,
  };
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
  if (!/^https?:\/\/[^/]/i.test(url) || !URL.canParse(url)) {
    throw new InvalidArgumentError(`The ${name} is "${url}": it must begin with http:// or https://.`, {
      code: 'invalid_url',
    });
  }
  return url.replace(/\/+$/, '');
}

function variable(name: string): string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  return process?.env?.[name] || undefined;
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
