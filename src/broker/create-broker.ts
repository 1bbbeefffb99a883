import { createBrokerCore } from './broker-core.js';
import type { BrokerContext, BrokerOptions } from './broker-options.js';
import type { Revocation } from './revocation.js';

/** A broker as a handler of requests; mount it at its `basePath`. */
export interface Broker<Env = unknown> {
  /** Answers every request and never rejects. */
  (request: Request, context?: BrokerContext<Env>): Promise<Response>;
  /**
   * Ends a session, or all that a subject has begun so far, with the sessions of those whom they invited: what is open
   * is cut within 30 s, and all calls are refused with 401, `session_revoked`. The subject may begin new sessions at once
   * where `authorize` lets them; that is its to refuse. Sandboxes live on, but for those of sessions that were given out
   * with `endWithSession`: these are killed.
   *
   * `await broker.revoke({ subject: user.id })`
   * @param context where options are functions: `{ env }`.
   * @throws {InvalidArgumentError} code `no_store` where the broker has none.
   * @throws {SandboxError} code `broker_misconfigured` where the store fails: nothing is sure to be revoked.
   * @throws {ConnectionError} code `upstream_unavailable` where the sessions are over, but a sandbox that ends with them
   * could not be killed: call it again.
   */
  revoke(what: Revocation, context?: BrokerContext<Env>): Promise<void>;
}

/**
 * Makes a broker for any runtime with web standards. It has no terminal over WebSocket: that takes a host, as
 * `e2b-edge/broker/node` or `e2b-edge/broker/cloudflare`.
 *
 * ```ts
 * const broker = createBroker({
 *   apiKey: () => process.env.E2B_API_KEY ?? '',
 *   signingKeys: () => ({ current: process.env.SESSION_KEY ?? '' }),
 *   origins: ['https://app.example'],
 *   basePath: '/api/sandbox',
 *   authorize: async (request) => {
 *     const user = await userOf(request)
 *     return user && { subject: user.id, sandbox: { template: 'base' }, grants: { commands: 'run', pty: 'write' } }
 *   },
 * })
 * ```
 * @throws {InvalidArgumentError} code `invalid_option`, naming it.
 */
export function createBroker<Env = unknown>(options: BrokerOptions<Env>): Broker<Env> {
  const { handle, revoke } = createBrokerCore(options);
  return Object.assign(handle, { revoke });
}
