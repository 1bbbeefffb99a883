import { signalPrefix } from '../channel/durable/programs.js';
import { type DurableLog, helper, runProgram } from '../channel/durable/run-program.js';
import { PermissionDeniedError, SandboxError } from '../errors.js';
import { checkOptions } from '../transport/check-options.js';
import type { Connection } from '../transport/connection.js';
import { type KillOptions, killRules } from './kill-options.js';
import { signalProgram } from './signal-program.js';

/** Signals a durable process, and not its keeper, who is to see how it ends. False when it has ended. */
export async function signalDurable(
  connection: Connection,
  log: DurableLog,
  options: KillOptions = {},
): Promise<boolean> {
  checkOptions('kill', options, killRules);
  const { killSignal = 'SIGKILL', group = false } = options;
  const args = [killSignal.slice(3), group ? 'group' : ''];
  const program = helper('signal', log, `${signalPrefix}${signalProgram}`, args);
  const { exitCode } = await runProgram(connection, program, options, 'kill');
  if (exitCode === 1) {
    throw new PermissionDeniedError(`${log.id} belongs to a Linux user whom this one may not signal.`);
  }
  if (exitCode !== 0 && exitCode !== 3) {
    throw new SandboxError(`The program that signals ${log.id} ended with ${exitCode}.`, {
      code: 'kill_failed',
    });
  }
  return exitCode === 0;
}
