import type { CallOptions } from '../transport/call-options.js';
import { callRules, flag, oneOf, type Rules } from '../transport/check-options.js';

const signals = [
  'SIGKILL',
  'SIGTERM',
  'SIGINT',
  'SIGHUP',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGSTOP',
  'SIGCONT',
] as const;

export type KillSignal = (typeof signals)[number];

export interface KillOptions extends CallOptions {
  /**
   * The signal to send. Default `SIGKILL`. After `SIGTERM` envd no longer waits for output, so what a program prints
   * while it shuts down may be lost; with `group` it is not.
   */
  killSignal?: KillSignal;
  /**
   * Whether to signal all that the process has started as well. Default false. A short program is run in the sandbox for
   * it: it stops the process and whoever descends from it, until there is nobody new, and then signals all. Out of reach
   * are those whose parent had ended before, unless they are still in the process group or session of one that is
   * reached, as programs of a terminal are.
   */
  group?: boolean;
}

export const killRules: Rules<KillOptions> = {
  ...callRules,
  killSignal: oneOf(...signals),
  group: flag,
};
