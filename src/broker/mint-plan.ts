/** What a session will be, before there is one. */

import type { Authorized } from './authorize.js';
import type { SandboxAnswer } from './sandbox-directory.js';
import type { SessionClaims } from './session-token.js';

/** The sandbox of a session that begins. */
export interface OpenedSandbox {
  sandbox: SandboxAnswer;
  /** Made for this session, so that nobody else has it yet. */
  isNew: boolean;
}

export interface MintPlan {
  claims: Omit<SessionClaims, 'sid' | 'sbx' | 'auth_time' | 'gen'> &
    Partial<Pick<SessionClaims, 'auth_time'>>;
  /** The sandbox, where no other will do. */
  sandboxId?: string;
  /** The page wants envd's own address and token, and may have them. */
  direct?: true;
  /** Makes the sandbox, or finds it. */
  open(): Promise<OpenedSandbox>;
}

/** Where the application says nothing else, in seconds. */
export const defaultTimeoutSeconds = 300;

/** How long the sandbox lives on with nobody attached. */
export function lifeSeconds({ sandbox: { timeoutMs } }: Authorized): number {
  return timeoutMs === undefined ? defaultTimeoutSeconds : Math.ceil(timeoutMs / 1000);
}

/** What the application decides of a session's claims. */
export function decidedClaims(authorized: Authorized): MintPlan['claims'] {
  const { subject, sandbox, grant, processesOf, invite } = authorized;
  return {
    sub: subject,
    g: grant,
    ...(sandbox.keepAlive !== false && { keep: lifeSeconds(authorized) }),
    ...(sandbox.endWithSession && { ews: true }),
    ...(processesOf !== undefined && { own: processesOf }),
    ...(invite && { inv: invite }),
  };
}
