import { createOnce } from '../control/create-once.js';
import type { NewSandbox } from '../control/records.js';
import { askControlPlane } from './control-plane.js';
import type { Exchange } from './exchange.js';
import type { SandboxAnswer } from './sandbox-directory.js';

export type SandboxRequest = NewSandbox & Required<Pick<NewSandbox, 'timeout'>>;

/** What is made while the page leaves, or the control plane's answer is lost, is killed: nobody would know of it. */
export function createSandbox<Env>(
  { credentials, request, context: { ctx } }: Exchange<Env>,
  sandbox: SandboxRequest,
): Promise<SandboxAnswer> {
  return askControlPlane(() =>
    createOnce(
      credentials.control,
      sandbox,
      { signal: request.signal },
      {
        idempotencyKey: undefined,
        sendKey: true,
        // What is still to be done then comes after the log.
        logger: undefined,
        waitUntil: ctx && ((work) => ctx.waitUntil(work)),
      },
    ),
  );
}

/**
 * Made for a session that could not begin: nobody would know of it. Where it cannot be killed it is left to its own end.
 */
export function killUnused<Env>({ credentials, context: { ctx } }: Exchange<Env>, sandboxId: string): void {
  const killed = credentials.control.kill(sandboxId).catch(() => undefined);
  ctx?.waitUntil(killed);
}
