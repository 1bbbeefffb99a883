import { InvalidArgumentError } from '../../errors.js';
import type { CallOptions } from '../../transport/call-options.js';
import {
  abortSignal,
  callback,
  checkOptions,
  milliseconds,
  type Rules,
  whole,
} from '../../transport/check-options.js';

/** What a pool needs of a sandbox. `Sandbox` of this package has it, and so do classes made on top of it. */
export interface PoolableSandbox {
  getInfo(options?: CallOptions): Promise<{ startedAt: Date; endAt: Date }>;
  isRunning(options?: CallOptions): Promise<boolean>;
  setTimeout(timeoutMs: number, options?: CallOptions): Promise<void>;
  kill(options?: CallOptions): Promise<boolean>;
}

/** What a pool gives to the functions it was made with. */
export interface PoolCall {
  /** Aborted when the pool cannot wait any longer. */
  signal: AbortSignal;
}

/** What a pool was doing when something failed. */
export type PoolStep = 'create' | 'check' | 'reset' | 'kill';

export interface SandboxPoolOptions<S extends PoolableSandbox> {
  /**
   * Makes a sandbox: `() => Sandbox.create('base')`. How long it lets the sandbox live (`timeoutMs`) is how long each
   * lease's sandbox lives, counted anew from when it is handed out.
   */
  create(call: PoolCall): Promise<S>;
  /** How many sandboxes are held ready beside those in use, as far as `max` allows. Default 1. */
  min?: number;
  /** The most sandboxes that there are at a time, in whatever state. Default 10, or `min` where that is more. */
  max?: number;
  /** How long one that is not needed for `min` is kept after its last use, in milliseconds. Default 300 000; 0 keeps it. */
  idleMs?: number;
  /**
   * Makes a used sandbox as good as new. Without it each sandbox is used once and then killed, since files, processes
   * and secrets of one user would be there for the next. One whose reset fails is killed.
   */
  reset?(sandbox: S, call: PoolCall): unknown;
  /**
   * Whether a warm sandbox is fit to be handed out; false, or an error, has it killed and replaced.
   * Default `isRunning`.
   */
  check?(sandbox: S, call: PoolCall): boolean | Promise<boolean>;
  /** How often a sandbox is handed out at most. Only with `reset`; default no limit. */
  maxUses?: number;
  /** No sandbox is handed out, or held ready, that is older than this, in milliseconds. Default 0: no limit. */
  maxAgeMs?: number;
  /** How long `acquire` waits, in milliseconds. Default 60 000; 0 waits for ever. */
  acquireTimeoutMs?: number;
  /** How long a `check` and a `reset` may take, in milliseconds. Default 30 000; 0 is no limit. */
  stepTimeoutMs?: number;
  /** After so many failures of `create` in a row, those who wait are told. Default 3. */
  maxFailures?: number;
  /** Told of each failure that no caller sees, or not yet. */
  onError?(error: unknown, step: PoolStep): void;
  /** Closes the pool, as `close` does. */
  signal?: AbortSignal;
}

/** The options with their defaults. */
export type PoolSettings<S extends PoolableSandbox> = Omit<
  Required<SandboxPoolOptions<S>>,
  'reset' | 'onError' | 'signal'
> &
  Pick<SandboxPoolOptions<S>, 'reset' | 'onError' | 'signal'>;

const rules: Rules<SandboxPoolOptions<PoolableSandbox>> = {
  create: callback,
  min: whole(0),
  max: whole(1),
  idleMs: milliseconds,
  reset: callback,
  check: callback,
  maxUses: whole(1),
  maxAgeMs: milliseconds,
  acquireTimeoutMs: milliseconds,
  stepTimeoutMs: milliseconds,
  maxFailures: whole(1),
  onError: callback,
  signal: abortSignal,
};

/** @throws {InvalidArgumentError} an option is wrong, or contradicts another. */
export function poolSettings<S extends PoolableSandbox>(options: SandboxPoolOptions<S>): PoolSettings<S> {
  checkOptions<SandboxPoolOptions<PoolableSandbox>>('createSandboxPool', options as never, rules);
  if (options.create === undefined) {
    throw refused('create is missing: it must be a function, as () => Sandbox.create().');
  }
  const { min = 1, max = Math.max(10, min) } = options;
  if (min > max) throw refused(`min is ${min} and max ${max}: min must not be more than max.`);
  if (options.maxUses !== undefined && !options.reset) {
    throw refused('maxUses is given and reset is not: without a reset each sandbox is used once.');
  }
  return {
    idleMs: 300_000,
    check: (sandbox, { signal }) => sandbox.isRunning({ signal }),
    maxUses: options.reset ? Number.POSITIVE_INFINITY : 1,
    maxAgeMs: 0,
    acquireTimeoutMs: 60_000,
    stepTimeoutMs: 30_000,
    maxFailures: 3,
    ...given(options),
    min,
    max,
  };
}

/** Without what is `undefined`, which would hide a default. */
function given<Options extends object>(options: Options): Options {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Options;
}

function refused(message: string): InvalidArgumentError {
  return new InvalidArgumentError(`createSandboxPool: ${message}`);
}
