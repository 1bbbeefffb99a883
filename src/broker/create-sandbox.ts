import { createOnce } from '../control/create-once.js';
import type { NewSandbox as SandboxRequest } from '../control/records.js';
import { askControlPlane } from './control-plane.js';
import type { Exchange } from './exchange.js';
import { safeCause } from './safe-cause.js';
import type { SandboxAnswer } from './sandbox-directory.js';

/** What is made while the page leaves, or the control plane's answer is lost, is killed: nobody would know of it. */
export function createSandbox<Env>(
  { credentials, request, context: { ctx }, event }: Exchange<Env>,
  sandbox: SandboxRequest,
): Promise<SandboxAnswer> {
  const logger = {
    warn: (_message: unknown, cause?: unknown) => {
      event.cause ??= safeCause(cause);
    },
  };
  return askControlPlane(() =>
    createOnce(
      credentials.control,
      sandbox,
      { signal: request.signal },
      {
        idempotencyKey: undefined,
        sendKey: true,
        logger,
        waitUntil: ctx && ((work) => ctx.waitUntil(work)),
      },
    ),
  );
}

/** Made for a session that could not begin: nobody would know of it. That it cannot be killed is for the log alone. */
export function killUnused<Env>(
  { credentials, context: { ctx }, event }: Exchange<Env>,
  sandboxId: string,
): void {
  const killed = askControlPlane(() => credentials.control.kill(sandboxId)).then(
    () => undefined,
    (error: unknown) => {
      event.cause ??= safeCause(error);
    },
  );
  ctx?.waitUntil(killed);
}
