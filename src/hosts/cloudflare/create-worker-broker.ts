import { createBrokerCore } from '../../broker/broker-core.js';
import type { BrokerContext, BrokerOptions } from '../../broker/broker-options.js';
import type { Broker } from '../../broker/create-broker.js';
import { invalidOption } from '../../broker/invalid-option.js';
import { misconfigured } from '../../broker/refusals.js';
import { isUpgrade } from '../is-upgrade.js';
import { hubRequest } from './pty-hub.js';
import { registerBroker } from './registry.js';
import { servePreview } from './serve-preview.js';
import { serveStateless } from './serve-stateless.js';
import type { DurableObjectNamespaceLike } from './workers-types.js';

/** Settings of a broker in a Worker. */
export interface WorkerBrokerOptions<Env> extends BrokerOptions<Env> {
  /**
   * The Durable Object namespace whose class is {@link PtyHub}. Default: the binding `PTY_HUB`. With `false` there is none:
   * each socket has a relay of its own, and a terminal's output is kept in the sandbox alone, as of one with `durable: 'auto'`.
   * Windows do not know of each other then: each of them may type, and the latest that was resized has its size.
   */
  ptyHub?: ((env: Env) => DurableObjectNamespaceLike) | false;
  /**
   * With `ptyHub: false`, how many requests one invocation may make, which is up to the account's plan: a terminal's
   * socket is handed over to another invocation at 80 % of them. Default 1 000; the free plan has 50.
   */
  maxSubrequests?: number;
}

/**
 * Makes a broker for a Cloudflare Worker, terminals included. Call it at the top level of the module, and export
 * {@link PtyHub} beside it, bound as `PTY_HUB`.
 *
 * ```ts
 * const broker = createBroker<Env>({
 *   apiKey: (env) => env.E2B_API_KEY,
 *   signingKeys: (env) => ({ current: env.SESSION_KEY }),
 *   origins: ['https://app.example'],
 *   authorize: async (request) => ({ subject: (await user(request)).id, sandbox: { template: 'base' }, grants: { pty: 'write' } }),
 * })
 * export { PtyHub }
 * export default { fetch: (request, env, ctx) => broker(request, { env, ctx }) } satisfies ExportedHandler<Env>
 * ```
 *
 * workerd tells that a page has left a stream when it next writes to it, so an idle one stays open upstream until envd's
 * next sign of life (50 s where the client is this package). Where the Durable Object is not bound, a terminal's upgrade
 * is answered with 500, `broker_misconfigured`, and the log says what is missing. Brokers of one script need different
 * values of `basePath`.
 * @throws {InvalidArgumentError} code `invalid_option`, naming it.
 */
export function createBroker<Env = unknown>(options: WorkerBrokerOptions<Env>): Broker<Env> {
  const { ptyHub, maxSubrequests = 1_000 } = options ?? {};
  if (!(Number.isInteger(maxSubrequests) && maxSubrequests >= 50)) {
    throw invalidOption('maxSubrequests', `${maxSubrequests} is not a whole number of at least 50`);
  }
  const core = createBrokerCore(options);
  const basePath = options.basePath ?? '';
  registerBroker(basePath, core as ReturnType<typeof createBrokerCore<unknown>>);

  const answer = async (request: Request, context: BrokerContext<Env> = {}): Promise<Response> => {
    if (!isUpgrade(request)) return core.handle(request, context);
    return core.upgrade(request, context, {
      terminal(upgrade) {
        if (ptyHub === false) return serveStateless(core, context, upgrade, maxSubrequests);
        const hub = hubNamespace(options, context);
        // One object for each sandbox: all of its sockets meet there.
        return hub
          .get(hub.idFromName(upgrade.sandboxId) as never)
          .fetch(hubRequest(request, basePath, upgrade));
      },
      preview: (preview) => servePreview(preview, options.fetch),
    });
  };
  return Object.assign(answer, { revoke: core.revoke });
}

function hubNamespace<Env>(
  { ptyHub }: WorkerBrokerOptions<Env>,
  { env }: BrokerContext<Env>,
): DurableObjectNamespaceLike {
  const hub = ptyHub
    ? ptyHub(env as Env)
    : (env as { PTY_HUB?: DurableObjectNamespaceLike } | undefined)?.PTY_HUB;
  if (hub) return hub;
  throw misconfigured(
    'There is no Durable Object for terminals: bind the exported class PtyHub as PTY_HUB, pass `env` to the broker, or say with `ptyHub` where it is',
  );
}
