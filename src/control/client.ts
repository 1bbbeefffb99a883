import { boundOptions, type ConnectionOptions } from './config.js';
import { Sandbox } from './sandbox.js';

/** `Sandbox` with options of its own; those of a call go before them. */
export interface Client {
  readonly Sandbox: typeof Sandbox;
}

/**
 * Binds options, so that calls need not repeat them.
 *
 * ```ts
 * const { Sandbox } = createClient({ apiKey, domain: 'sandboxes.example' })
 * const sandbox = await Sandbox.create('base')
 * ```
 * @param options a `signal` is left out, since it ends one call: give it to that.
 */
export function createClient(options: ConnectionOptions = {}): Client {
  return new E2B(options);
}

/** What the official package calls a client. */
export class E2B implements Client {
  readonly Sandbox: typeof Sandbox;

  constructor(options: ConnectionOptions = {}) {
    const bound = boundOptions(options);
    this.Sandbox = class extends Sandbox {
      protected static override readonly boundOptions: ConnectionOptions = bound;
    };
  }
}
