import { checkOptions } from '../transport/check-options.js';
import { boundOptions, type ConnectionOptions, connectionRules } from './config.js';
import { createSandboxPool } from './pool/create-sandbox-pool.js';
import type { SandboxPoolOptions } from './pool/pool-options.js';
import type { SandboxPool } from './pool/sandbox-pool.js';
import { Sandbox } from './sandbox.js';

/** Those of a pool; by default, its sandboxes are what the client's `Sandbox.create()` makes. */
export type ClientPoolOptions = Omit<SandboxPoolOptions<Sandbox>, 'create'> &
  Partial<Pick<SandboxPoolOptions<Sandbox>, 'create'>>;

/** What uses one set of options. */
export interface Client {
  /** A class of its own, whose calls have the options; those of a call go before them. */
  readonly Sandbox: typeof Sandbox;
  /** See the function of that name. */
  createSandboxPool(options?: ClientPoolOptions): SandboxPool<Sandbox>;
}

/**
 * Binds options, so that calls need not repeat them. An option of a call that is `undefined` leaves the bound one.
 *
 * ```ts
 * const client = createClient({ headers: { 'x-app': 'shop' }, requestTimeoutMs: 20_000 })
 * const sandbox = await client.Sandbox.create('base')
 * for await (const { sandboxId } of client.Sandbox.list()) console.log(sandboxId)
 * await sandbox.kill()
 * ```
 * @param options a `signal` is not bound: it ends one call, so it is given to that.
 * @throws {InvalidArgumentError} an option is wrong.
 */
export function createClient(options: ConnectionOptions = {}): Client {
  const bound = bindSandbox(options);
  return {
    Sandbox: bound,
    createSandboxPool: (pool = {}) =>
      createSandboxPool({ create: ({ signal }) => bound.create({ signal }), ...pool }),
  };
}

/** What the official package calls a client. */
export class E2B {
  readonly Sandbox: typeof Sandbox;

  constructor(options: ConnectionOptions = {}) {
    this.Sandbox = bindSandbox(options);
  }
}

function bindSandbox(options: ConnectionOptions): typeof Sandbox {
  checkOptions('createClient', options, connectionRules);
  const bound = boundOptions(options);
  return class extends Sandbox {
    protected static override readonly boundOptions: ConnectionOptions = bound;
  };
}
