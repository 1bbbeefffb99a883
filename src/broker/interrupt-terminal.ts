/** Interrupt keys for a terminal's program that does not read: what the broker itself runs for them. */

import { withDeadline } from '../transport/deadline.js';
import type { InterruptSignal } from '../wire/interrupt-key.js';
import { interruptProgram, signalledExit } from '../wire/interrupt-program.js';
import { openUpstream } from './envd-upstream.js';
import type { Scope } from './exchange.js';
import { type ProcessGuard, requireKind } from './process-guard.js';
import { notGranted } from './refusals.js';
import { processOwner, type SessionClaims } from './session-token.js';
import { startHelper } from './strict/helper.js';

export interface TerminalOwner<Env> {
  scope: Scope<Env>;
  /** Of the terminal: whose processes it is one of, and the Linux user. */
  claims: SessionClaims;
  processes: ProcessGuard;
}

export interface InterruptRequest {
  pid: number;
  signal: InterruptSignal;
  abort?: AbortSignal | undefined;
}

/** How long the program may take, in milliseconds. */
const timeoutMs = 10_000;

/**
 * Has a program of the broker's own make room for the key, as the terminal's user, who could do it as well. Of the
 * request it has a terminal's process id and one of three signals, and nothing else.
 * @returns whether the program was signalled in the key's place.
 */
export async function interruptTerminal<Env>(
  { scope, claims, processes }: TerminalOwner<Env>,
  { pid, signal, abort }: InterruptRequest,
): Promise<boolean> {
  const upstream = await openUpstream(scope, claims);
  const kind = requireKind(await processes.kindOf(upstream, processOwner(claims), pid), pid);
  if (kind !== 'pty') throw notGranted('interrupt what is no terminal');
  const args = [String(pid), signal];
  const limits = { requestTimeoutMs: timeoutMs, ...(abort && { signal: abort }) };
  return withDeadline(limits, 'pty.interrupt', async (limit) => {
    const helper = await startHelper(upstream, { program: interruptProgram, args, timeoutMs, signal: limit });
    while (await helper.read());
    return helper.exit().code === signalledExit;
  });
}
