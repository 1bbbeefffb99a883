import { type PoolableSandbox, poolSettings, type SandboxPoolOptions } from './pool-options.js';
import { SandboxPool } from './sandbox-pool.js';

/**
 * Makes a pool of warm sandboxes, in this process.
 *
 * ```ts
 * const pool = createSandboxPool({ min: 2, max: 10, create: () => Sandbox.create('base') })
 * {
 *   await using lease = await pool.acquire()
 *   await lease.sandbox.commands.run('python3 -V')
 * }
 * await pool.drain()
 * ```
 *
 * On Workers, make and use it within one request, or in a Durable Object: what one request has begun, another cannot
 * wait for there.
 * @throws {InvalidArgumentError} an option is wrong, or contradicts another.
 */
export function createSandboxPool<S extends PoolableSandbox>(options: SandboxPoolOptions<S>): SandboxPool<S> {
  return new SandboxPool(poolSettings(options));
}
