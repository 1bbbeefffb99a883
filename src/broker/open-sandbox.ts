/** The sandbox of a new session. */

import { createOnce } from '../control/create-once.js';
import type { NewSandbox as SandboxRequest } from '../control/records.js';
import type { NewSandbox } from './authorization.js';
import type { Authorized } from './authorize.js';
import { askControlPlane } from './control-plane.js';
import type { Exchange } from './exchange.js';
import { sandboxNotFound } from './refusals.js';
import type { SandboxAnswer } from './sandbox-directory.js';
import { subjectKey } from './sandbox-mark.js';

/** A new sandbox, the one that the application names, or the subject's own that was asked for. */
export async function openSandbox<Env>(
  exchange: Exchange<Env>,
  { subject, sandbox }: Authorized,
  asked: string | undefined,
  timeout: number,
): Promise<SandboxAnswer> {
  const { control } = exchange.credentials;
  if ('id' in sandbox) {
    if (asked !== undefined && asked !== sandbox.id) throw sandboxNotFound();
    return askControlPlane(() => control.connect(sandbox.id, { timeout }));
  }
  if (asked === undefined) return createSandbox(exchange, newSandbox(sandbox, subject, timeout));
  const { metadata } = await askControlPlane(() => control.info(asked));
  if (metadata?.[subjectKey] !== subject) throw sandboxNotFound();
  return askControlPlane(() => control.connect(asked, { timeout }));
}

/** What is made while the page leaves, or the control plane's answer is lost, is killed: nobody would know of it. */
function createSandbox<Env>(
  { credentials, request, context: { ctx }, event }: Exchange<Env>,
  sandbox: SandboxRequest,
): Promise<SandboxAnswer> {
  const logger = {
    warn: (_message: unknown, cause?: unknown) => {
      event.cause ??= cause;
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

function newSandbox(
  { template, metadata, envs, onTimeout }: NewSandbox,
  subject: string,
  timeout: number,
): SandboxRequest {
  return {
    templateID: template,
    timeout,
    metadata: { ...metadata, [subjectKey]: subject },
    ...(envs && { envVars: envs }),
    ...(onTimeout !== undefined && { autoPause: onTimeout === 'pause' }),
  };
}
