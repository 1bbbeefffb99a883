import { InvalidArgumentError } from '../errors.js';
import { check, checkOptions, flag, oneOf, type Rule } from '../transport/check-options.js';
import type { NewSandbox } from './records.js';

/**
 * What happens at the end time. A pause keeps memory and processes, unless `keepMemory` is false: then files only, and
 * the sandbox boots anew when it is resumed.
 */
export type SandboxOnTimeout =
  | 'pause'
  | 'kill'
  | { action: 'pause'; keepMemory?: boolean }
  | { action: 'kill' };

export interface SandboxLifecycle {
  /** Default: `kill`. */
  onTimeout: SandboxOnTimeout;
  /** Whether a request to the paused sandbox resumes it. Only with a pause that keeps memory. */
  autoResume?: boolean;
}

/** The control plane counts in whole seconds. */
export function seconds(ms: number): number {
  return Math.ceil(ms / 1000);
}

/** The fields of a create that the lifecycle sets. */
export function lifecycleBody(
  what: string,
  lifecycle: SandboxLifecycle,
): Pick<NewSandbox, 'autoPause' | 'autoPauseMemory' | 'autoResume'> {
  const anything: Rule = ['given', () => true];
  checkOptions(what, lifecycle, { onTimeout: anything, autoResume: flag });
  const { onTimeout, autoResume } = lifecycle;
  const plan: { action: unknown; keepMemory?: boolean } =
    typeof onTimeout === 'object' && onTimeout !== null ? onTimeout : { action: onTimeout ?? 'kill' };
  const { action, keepMemory } = plan;
  check(`${what}: onTimeout`, action, oneOf('pause', 'kill'));
  if (keepMemory !== undefined) check(`${what}: onTimeout.keepMemory`, keepMemory, flag);
  if (action === 'kill' && keepMemory !== undefined) {
    throw contradiction(what, 'onTimeout.keepMemory goes with the action pause only');
  }
  if (autoResume && action === 'kill') {
    throw contradiction(what, 'autoResume needs onTimeout: pause, since a killed sandbox cannot be resumed');
  }
  if (autoResume && keepMemory === false) {
    throw contradiction(
      what,
      'autoResume needs the memory, so it does not go with keepMemory: false; resume with Sandbox.connect instead',
    );
  }
  return {
    ...(onTimeout !== undefined && { autoPause: action === 'pause' }),
    ...(keepMemory !== undefined && { autoPauseMemory: keepMemory }),
    ...(autoResume !== undefined && { autoResume: { enabled: autoResume } }),
  };
}

function contradiction(what: string, why: string): InvalidArgumentError {
  return new InvalidArgumentError(`${what}: ${why}.`);
}
