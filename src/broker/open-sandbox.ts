/** The sandbox of a new session. */

import type { NewSandbox } from './authorization.js';
import type { Authorized } from './authorize.js';
import { askControlPlane } from './control-plane.js';
import { createSandbox, type SandboxRequest } from './create-sandbox.js';
import type { Exchange } from './exchange.js';
import type { OpenedSandbox } from './mint-plan.js';
import { sandboxNotFound } from './refusals.js';
import { openReused } from './reused-sandbox.js';
import { endMark, isMarked, newMark, reuseMark, type SandboxMark } from './sandbox-mark.js';

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
  const whose: SandboxMark = { subject, issuer: tokens.issuer };
  const { reuse, template, endWithSession } = sandbox;
  const mark = reuse ? reuseMark(whose, reuse) : newMark(whose, template);
  const full = { ...mark, ...(endWithSession && endMark(whose)) };
  if (asked !== undefined) {
    const { metadata } = await askControlPlane(() => control.info(asked));
    // What is granted, and the end with the session, are for one such as would have been made, and for no other of theirs.
    if (!isMarked(metadata, reuse ? mark : full)) throw sandboxNotFound();
    return connect(asked);
  }
  const request = newSandbox(sandbox, full, timeout);
  return reuse
    ? { sandbox: await openReused(exchange, request, mark), isNew: false }
    : { sandbox: await createSandbox(exchange, request), isNew: true };
}

function newSandbox(
  { template, metadata, envs, onTimeout }: NewSandbox,
  mark: Record<string, string>,
  timeout: number,
): SandboxRequest {
  return {
    templateID: template,
    timeout,
    metadata: { ...metadata, ...mark },
    ...(envs && { envVars: envs }),
    ...(onTimeout && { autoPause: onTimeout === 'pause' }),
  };
}
