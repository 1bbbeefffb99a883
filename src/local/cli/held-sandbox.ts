import { Sandbox } from '../../control/sandbox.js';
import { say } from './command.js';
import { findConnection } from './connection.js';
import { SignalQueue } from './signal-queue.js';

/** A sandbox while a command uses it. */
export interface HeldSandbox {
  readonly sandbox: Sandbox;
  /** What this command is sent, also while the sandbox was being created. */
  readonly signals: SignalQueue;
  /** Leaves it as it is, or ends it if it was created for this. */
  release(): Promise<void>;
}

/** How long it outlives a command that was killed outright, in milliseconds. */
const lifeMs = 300_000;
const keepAliveMs = 60_000;

/** Takes up a sandbox, or creates one without an id, and keeps it from reaching its end time. */
export async function holdSandbox(
  id: string | undefined,
  template: string | undefined,
): Promise<HeldSandbox> {
  const signals = new SignalQueue();
  try {
    return await hold(id, template, signals);
  } catch (error) {
    signals.close();
    throw error;
  }
}

async function hold(
  id: string | undefined,
  template: string | undefined,
  signals: SignalQueue,
): Promise<HeldSandbox> {
  const connection = await findConnection();
  const options = { ...connection, timeoutMs: lifeMs };
  const sandbox =
    id === undefined ? await Sandbox.create(template ?? 'base', options) : await Sandbox.connect(id, options);
  if (id === undefined) say(`created sandbox ${sandbox.sandboxId}, which is killed at the end`);
  const timer = setInterval(() => {
    // What is wrong shows elsewhere.
    sandbox.connect({ timeoutMs: lifeMs }).catch(() => {});
  }, keepAliveMs);
  return {
    sandbox,
    signals,
    async release() {
      clearInterval(timer);
      try {
        if (id === undefined) await sandbox.kill();
      } finally {
        signals.close();
      }
    },
  };
}
