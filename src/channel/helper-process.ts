/** Programs of our own in a sandbox, which run for a moment: nobody has started them, so nobody is shown them. */

import type { ProcessConfig } from '../wire/messages/process.js';

/** What a shell calls itself, `$0`: through a broker, which has tags of its own, only what was started tells them. */
const helperName = 'e2b-edge-helper';

/** A program for `/bin/sh`, with its arguments. */
export function helperProcess(program: string, args: readonly string[]): { cmd: string; args: string[] } {
  return { cmd: '/bin/sh', args: ['-c', program, helperName, ...args] };
}

/** Whether a process of a list is one of these. */
export function isHelperProcess(config: ProcessConfig | undefined): boolean {
  return config?.args[2] === helperName;
}
