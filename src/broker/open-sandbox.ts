/** The sandbox of a new session. */

import type { NewSandbox, SandboxLife } from './authorization.js';
import type { Authorized } from './authorize.js';
import { askControlPlane } from './control-plane.js';
import { createSandbox, type SandboxRequest } from './create-sandbox.js';
import type { Exchange } from './exchange.js';
import type { OpenedSandbox } from './mint-plan.js';
import { sandboxNotFound } from './refusals.js';
import { openReused } from './reused-sandbox.js';
import { endMark, isMarked, ownMark, reuseMark, type SandboxMark } from './sandbox-mark.js';

/**
 * A new sandbox, the one that the application names, the subject's own that is used again, or the one of theirs that the
 * page asks for. One that is paused is resumed.
 * @param timeout how long it lives on at least, in seconds.
 */
export async function openSandbox<Env>(
  exchange: Exchange<Env>,
  { subject, sandbox }: Authorized,
  asked: string | undefined,
  timeout: number,
): Promise<OpenedSandbox> {
  const { control, tokens } = exchange.credentials;
  const connect = async (sandboxId: string): Promise<OpenedSandbox> => ({
    sandbox: await askControlPlane(() => control.connect(sandboxId, { timeout })),
    isNew: false,
  });
  if ('id' in sandbox) {
    if (asked !== undefined && asked !== sandbox.id) throw sandboxNotFound();
    return connect(sandbox.id);
  }
  const mark: SandboxMark = { subject, issuer: tokens.issuer };
  const own = sandbox.reuse ? reuseMark(mark, sandbox.reuse) : ownMark(mark);
  if (asked !== undefined) {
    const { metadata } = await askControlPlane(() => control.info(asked));
    // What is granted in one that the application names is not for another of the subject's.
    if (!isMarked(metadata, own)) throw sandboxNotFound();
    return connect(asked);
  }
  const request = newSandbox(sandbox, mark, timeout);
  return sandbox.reuse
    ? { sandbox: await openReused(exchange, request, own), isNew: false }
    : { sandbox: await createSandbox(exchange, request), isNew: true };
}

function newSandbox(
  { template, metadata, envs, reuse, onTimeout, endWithSession }: NewSandbox & SandboxLife,
  mark: SandboxMark,
  timeout: number,
): SandboxRequest {
  return {
    templateID: template,
    timeout,
    metadata: {
      ...metadata,
      ...(reuse ? reuseMark(mark, reuse) : ownMark(mark)),
      ...(endWithSession && endMark(mark)),
    },
    ...(envs && { envVars: envs }),
    ...(onTimeout && { autoPause: onTimeout === 'pause' }),
  };
}
