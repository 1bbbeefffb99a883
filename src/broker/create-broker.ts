import { createBrokerCore } from './broker-core.js';
import type { BrokerContext, BrokerOptions } from './broker-options.js';

/** A broker as a handler of requests; mount it at its `basePath`. It answers every request and never rejects. */
export type Broker<Env = unknown> = (request: Request, context?: BrokerContext<Env>) => Promise<Response>;

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
  return createBrokerCore(options).handle;
}
