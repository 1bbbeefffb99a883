import { answerOf } from './envd-answer.js';
import type { Machine } from './machine.js';

/** What brings the sandboxes of a template to life; both are shell commands. */
export interface StartCommands {
  /** Goes on running. */
  readonly startCmd?: string;
  /** Repeated until it exits with 0. */
  readonly readyCmd?: string;
  /** How long the ready command may take to succeed. */
  readonly timeoutSeconds: number;
}

/** How long envd may take to say that the time is over. */
const answerSeconds = 5;

/** Runs them in a machine. Rejects with what they printed when they fail, and when `signal` says so. */
export async function runStartCommands(
  machine: Machine,
  commands: StartCommands,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const stream = machine.request({ ':method': 'POST', ':path': '/start' }, { endStream: false });
  // Whoever reads is told; one that comes later, when the machine is closed, is nobody's.
  stream.on('error', () => {});
  const abort = (): void => {
    stream.destroy(new Error('it was ended while it started'));
  };
  signal.addEventListener('abort', abort, { once: true });
  try {
    stream.end(JSON.stringify(commands));
    const { status, message } = await answerOf(stream, (commands.timeoutSeconds + answerSeconds) * 1000);
    if (status !== 204) throw new Error(message);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
