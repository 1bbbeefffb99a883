/** What a relay's refusal or close code means to the client: the error it becomes, or a reason to try again. */

import {
  AuthenticationError,
  type E2BEdgeError,
  NotEnoughSpaceError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
  SandboxError,
  SandboxNotFoundError,
  TemplateError,
} from '../errors.js';
import { PtyClose } from '../wire/pty-close.js';
import type { Refusal } from '../wire/pty-messages.js';

const words: Record<number, string> = {
  [PtyClose.protocol]: 'The relay does not understand this client.',
  [PtyClose.token]: 'The relay refused the token.',
  [PtyClose.notGranted]: 'The session does not grant this terminal.',
  [PtyClose.notFound]: 'There is no such terminal.',
  [PtyClose.replaced]: 'A newer socket of the same client took over.',
  [PtyClose.exited]: 'The terminal has ended.',
  [PtyClose.limits]: 'There are too many terminals or sockets.',
};

/** Whether a close code is the relay's last word. 4401 is, once fresh tokens were refused too. */
export function isFinal(closeCode: number): boolean {
  const final: number[] = [
    PtyClose.protocol,
    PtyClose.notGranted,
    PtyClose.notFound,
    PtyClose.replaced,
    PtyClose.exited,
  ];
  return final.includes(closeCode);
}

/** The error for a close code, with the words of the ERROR frame that came before it, if one did. */
export function stopError(closeCode: number, refusal: Refusal | undefined): E2BEdgeError {
  const message = refusal?.message ?? words[closeCode] ?? `The relay closed with code ${closeCode}.`;
  const options = {
    ...(refusal && { code: refusal.code }),
    ...(refusal?.retryAfterMs !== undefined && { retryAfterMs: refusal.retryAfterMs }),
  };
  switch (closeCode) {
    case PtyClose.token:
      return new AuthenticationError(message, options);
    case PtyClose.notGranted:
      return new PermissionDeniedError(message, options);
    case PtyClose.notFound:
      if (refusal?.code === 'sandbox_not_found') return new SandboxNotFoundError(message, options);
      return new NotFoundError(message, { code: 'process_not_found', ...options });
    case PtyClose.limits:
      return new RateLimitError(message, options);
    case PtyClose.protocol:
      if (refusal?.code === 'envd_too_old') return new TemplateError(message, options);
      if (refusal?.code === 'not_enough_space') return new NotEnoughSpaceError(message, options);
      return new SandboxError(message, { code: 'protocol_error', ...options });
    case PtyClose.replaced:
      return new SandboxError(message, { code: 'replaced', ...options });
    default:
      return new SandboxError(message, options);
  }
}
