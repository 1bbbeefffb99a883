import type { FetchLike } from './authorized-fetch.js';
import type { CallOptions } from './call-options.js';
import { callback, callRules, isTextMap, type Rule, type Rules, whole } from './check-options.js';
import type { Hooks, Logger } from './hooks.js';
import type { WebSocketConstructor } from './socket.js';
import { isTraceParent, type TraceParent } from './trace-parent.js';

/**
 * How requests are made, with an API key and with a session alike. What is given when a sandbox is created or taken up
 * holds for all its calls, but for `signal`: that ends the one call that it was given to.
 */
export interface ClientOptions extends CallOptions, Hooks {
  /** In the place of the global `fetch`: the way to use a proxy, certificates of your own, or a connection pool. */
  fetch?: FetchLike;
  /** In the place of the global `WebSocket`, which Node 20 lacks. Terminals over a session use it. */
  WebSocket?: WebSocketConstructor;
  /**
   * Sent with every request. Credentials cannot be given here. From a web page, the other side must allow them (CORS).
   * In the official SDK, they go to the control plane alone: that is `apiHeaders`.
   */
  headers?: Record<string, string>;
  /**
   * How often a failed request is tried again, from 0 to 10. Default 3. Where no connection was made, or the server said
   * 429, any request is; where it may have been executed, only one that may be repeated without harm.
   */
  retries?: number;
  /** Sent with every request, so that a trace goes on behind it. One that a function returns and is malformed is left out. */
  traceparent?: TraceParent;
  /** Told of retries and failures, and of each answer at the level `debug`. `console` will do. */
  logger?: Logger;
}

/** Not spelled out: where no key belongs, in a page, a test looks that not even the name of its header is there. */
const credentialNames = /^(x-a(pi-key|ccess-token)|authorization|e2b-sandbox-.*)$/i;

const clientHeaders: Rule = [
  'an object of texts that headers can carry, none of them a credential: apiHeaders may hold those of the control plane',
  (value) => isHeaders(value) && !Object.keys(value).some((name) => credentialNames.test(name)),
];

const logger: Rule = [
  'an object with the methods debug, info, warn and error',
  (value) => Object(value) === value,
];
const traceparent: Rule = [
  'a W3C traceparent such as 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01, or a function that returns one',
  (value) => typeof value === 'function' || isTraceParent(value),
];

/** The rules of `ClientOptions`, to be spread into those of options that extend it. */
export const clientRules: Rules<ClientOptions> = {
  ...callRules,
  fetch: callback,
  WebSocket: callback,
  headers: clientHeaders,
  retries: whole(0, 10),
  traceparent,
  logger,
  onRequest: callback,
  onResponse: callback,
  onRetry: callback,
  onError: callback,
};

/** Those of some options that concern all calls, without the signal, which concerns one. */
export function clientOptions(options: ClientOptions): ClientOptions {
  const names = Object.keys(clientRules).filter((name) => name !== 'signal') as (keyof ClientOptions)[];
  return Object.fromEntries(
    names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
  );
}

/** Whether a value is an object of what headers can carry. */
export function isHeaders(value: unknown): value is Record<string, string> {
  if (!isTextMap(value)) return false;
  try {
    new Headers(value);
    return true;
  } catch {
    return false;
  }
}
