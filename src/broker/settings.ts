/** The options with their defaults, checked once; and what of them a request needs, asked for at each. */

import type { ControlApi } from '../control/api.js';
import { createControlApi } from '../control/api.js';
import type { FetchLike } from '../transport/authorized-fetch.js';
import { defaultDomain, domainPattern } from '../transport/envd-endpoint.js';
import { isServiceUrl } from '../transport/service-url.js';
import type { BrokerEvent } from './broker-event.js';
import type { BrokerContext, BrokerOptions, FromEnv } from './broker-options.js';
import { invalidOption } from './invalid-option.js';
import { type PreviewOrigins, readPreviewOrigins } from './previews/preview-options.js';
import type { SessionStore } from './session-store.js';
import type { TokenSettings } from './signed-token.js';
import { createKeyRing } from './signing-keys.js';
import type { Trace } from './trace.js';

/** What holds for all requests. */
export interface Settings {
  basePath: string;
  /** What the addresses in a session begin with. */
  publicBase: string;
  /** The path of it. */
  publicPath: string;
  fetch: FetchLike;
  /** Never throws: what was decided holds, whatever becomes of its record. */
  log: (event: BrokerEvent) => void;
}

/** What holds for one request. */
export interface Credentials {
  origins: readonly string[];
  tokens: TokenSettings;
  store: SessionStore | undefined;
  control: ControlApi;
  domain: string | undefined;
  sandboxUrl: string | undefined;
  /** Absent where previews are below the broker's path. */
  previews: PreviewOrigins | undefined;
}

const maxTokenTtlMs = 900_000;

/** @throws {InvalidArgumentError} code `invalid_option`, naming it. */
export function readSettings<Env>(options: BrokerOptions<Env>): Settings {
  const { basePath = '', publicUrl, tokenTtlMs, sessionLifeMs, issuer } = options;
  if (typeof options.authorize !== 'function') throw invalidOption('authorize', 'it is missing');
  // A logger that is none would be a log that is empty.
  for (const name of ['logger', 'fetch'] as const) {
    const given: unknown = options[name];
    if (given !== undefined && typeof given !== 'function') throw invalidOption(name, 'it is not a function');
  }
  if (issuer !== undefined && (typeof issuer !== 'string' || issuer === '')) {
    throw invalidOption('issuer', 'it is not a text, or an empty one');
  }
  for (const name of ['apiKey', 'signingKeys', 'origins'] as const) {
    if (!options[name]) throw invalidOption(name, 'it is missing');
  }
  if (!/^(\/[A-Za-z0-9._~-]+)*$/.test(basePath)) {
    throw invalidOption(
      'basePath',
      `"${basePath}" is not a path like "/api/sandbox", without a slash at the end`,
    );
  }
  if (publicUrl !== undefined && !/^https?:\/\/[^?#]+[^/?#]$/.test(publicUrl)) {
    throw invalidOption('publicUrl', `"${publicUrl}" is not an address like "https://api.example/sandbox"`);
  }
  if (tokenTtlMs !== undefined && !(isDuration(tokenTtlMs) && tokenTtlMs <= maxTokenTtlMs)) {
    throw invalidOption('tokenTtlMs', `${tokenTtlMs} is not a number between 1 000 and 900 000`);
  }
  if (sessionLifeMs !== undefined && !isDuration(sessionLifeMs)) {
    throw invalidOption('sessionLifeMs', `${sessionLifeMs} is not a number of at least 1 000`);
  }
  return {
    basePath,
    publicBase: publicUrl ?? basePath,
    publicPath: publicUrl === undefined ? basePath : new URL(publicUrl).pathname.replace(/\/$/, ''),
    // Called as a function of its own: the global one must not be a method of something else.
    fetch: options.fetch ?? ((url, init) => globalThis.fetch(url, init)),
    log: (event) => {
      try {
        options.logger?.(event);
      } catch {
        // There is nowhere to tell it.
      }
    },
  };
}

/** Asks the options that are functions. */
export function createCredentialSource<Env>(
  options: BrokerOptions<Env>,
): (context: BrokerContext<Env>, settings: Settings, trace: Trace) => Promise<Credentials> {
  const ring = createKeyRing();
  return async ({ env }, settings, trace) => {
    const ask = <T>(option: FromEnv<Env, T>): T | Promise<T> =>
      typeof option === 'function' ? (option as (env: Env) => T | Promise<T>)(env as Env) : option;
    const [apiKey, signingKeys, origins, store, previews, ...places] = await Promise.all([
      ask(options.apiKey),
      ask(options.signingKeys),
      ask(options.origins),
      ask(options.store),
      ask(options.previews),
      ask(options.domain),
      ask(options.apiUrl),
      ask(options.sandboxUrl),
    ]);
    const domain = hostName(places[0]);
    const apiUrl = address('apiUrl', places[1]);
    const sandboxUrl = address('sandboxUrl', places[2]);
    // A function can come back without one, as for a variable that is not set.
    if (!apiKey) throw invalidOption('apiKey', 'it is empty');
    // What cannot be a header is repeated in the error of it, which would go to the log.
    if (!/^[\x21-\x7e]+$/.test(apiKey))
      throw invalidOption('apiKey', 'it has spaces or other characters of no key');
    checkOrigins(origins);
    checkStore(store);
    return {
      origins,
      tokens: {
        keys: await ring(signingKeys),
        issuer: options.issuer ?? 'e2b-edge',
        // Brokers that share a key take each other's tokens only where all of this is the same.
        audience: settings.publicBase || '/',
        ttlMs: options.tokenTtlMs ?? 300_000,
        sessionLifeMs: options.sessionLifeMs ?? 28_800_000,
      },
      store,
      control: createControlApi({
        apiKey: () => apiKey,
        apiUrl: apiUrl ?? `https://api.${domain ?? defaultDomain}`,
        client: { fetch: settings.fetch },
        apiHeaders: trace,
      }),
      domain,
      sandboxUrl,
      previews: readPreviewOrigins(previews, origins),
    };
  };
}

/** Infinity would be a moment that no store and no token can keep. */
function isDuration(value: unknown): value is number {
  return Number.isFinite(value) && (value as number) >= 1000;
}

/** A namespace that is bound is not a store yet, and would be found out only when somebody has to be locked out. */
function checkStore(store: SessionStore | undefined): void {
  if (store === undefined || (typeof store?.get === 'function' && typeof store.set === 'function')) return;
  throw invalidOption(
    'store',
    'it has no `get` and `set`; createMemoryStore, createKvStore and the like make one',
  );
}

/** An empty text is a variable that is not set. */
function hostName(domain: string | undefined): string | undefined {
  if (!domain || domainPattern.test(domain)) return domain || undefined;
  throw invalidOption('domain', `"${domain}" is not a name like "${defaultDomain}"`);
}

function address(name: string, url: string | undefined): string | undefined {
  if (!url || isServiceUrl(url)) return url?.replace(/\/+$/, '') || undefined;
  throw invalidOption(
    name,
    'it has to begin with http:// or https://, and to have no password, query or fragment',
  );
}

function checkOrigins(origins: readonly string[]): void {
  for (const origin of origins) {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
      throw invalidOption(
        'origins',
        `"${origin}" is not an origin like "https://app.example", without a slash at the end`,
      );
    }
  }
}
