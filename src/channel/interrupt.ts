/** Interrupt keys for a program that does not read. */

import type { Connection } from '../transport/connection.js';
import type { InterruptSignal } from '../wire/interrupt-key.js';
import { interruptProgram, signalledExit } from '../wire/interrupt-program.js';
import { helperProcess } from './helper-process.js';
import { startProcess } from './process-stream.js';

/**
 * Makes room in a terminal that is full. Resolves with true when the terminal's program was signalled in the place of
 * the key, which must not be sent then.
 */
export type Interrupt = (pid: number, signal: InterruptSignal, abort?: AbortSignal) => Promise<boolean>;

/** A call that has not been answered yet. */
export interface PendingCall {
  since: number;
  answer: Promise<unknown>;
}

/** A call that takes longer than this waits for the program to read, in milliseconds. */
const stalledMs = 500;
/** How long the helper may take, in milliseconds. */
const helperMs = 10_000;

/** Has a program of the sandbox make room, straight by envd: as `root`, since a terminal may be any user's. */
export function interruptBy(connection: Connection): Interrupt {
  return async (pid, signal, abort) => {
    const helper = helperProcess(interruptProgram, [String(pid), signal]);
    const start = { ...helper, envs: {}, user: 'root', timeoutMs: helperMs };
    const options = abort ? { signal: abort } : {};
    const { output } = await startProcess(connection, start, options, 'pty.interrupt');
    let exitCode: number | undefined;
    for await (const event of output) if (event.type === 'end') exitCode = event.exitCode;
    return exitCode === signalledExit;
  };
}

/**
 * Interrupts if the call that is under way is found to be stalled.
 * @param always once the call was answered, too: what waits may do so elsewhere.
 * @returns whether the key must not be sent any more. Never rejects: where nothing can be done the key waits its turn.
 */
export async function interruptStalled(
  call: PendingCall | undefined,
  interrupt: () => Promise<boolean>,
  always = false,
): Promise<boolean> {
  const isDue = (call !== undefined && (await isStalled(call))) || always;
  return isDue && (await interrupt().catch(() => false));
}

async function isStalled(call: PendingCall): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stalled = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(true), Math.max(0, call.since + stalledMs - Date.now()));
  });
  const answered = call.answer.then(
    () => false,
    () => false,
  );
  return Promise.race([answered, stalled]).finally(() => clearTimeout(timer));
}
