/** The options and answers of what a session may do to its sandbox as a whole, and to itself. */

import type { CallOptions } from '../transport/call-options.js';
import { callRules, flag, object, type Rules, whole } from '../transport/check-options.js';
import { lifetime } from '../transport/lifetime.js';
import type { Grant } from '../wire/session.js';

export interface PauseOptions extends CallOptions {
  /** False drops memory and processes: the sandbox boots from its files when it is resumed. Default true. */
  keepMemory?: boolean;
}

export interface ResumeOptions extends CallOptions {
  /**
   * The sandbox lives for so long from then on, in milliseconds. Default, and without the grant `extend` the most: as your
   * application gives it when it authorizes; 300 000 where it does not let pages keep the sandbox alive.
   */
  timeoutMs?: number;
}

export interface InviteOptions extends CallOptions {
  /** What the guest may do, at most what your application lets this session pass on. Default: all of that. */
  grant?: Grant;
  /** How long the invitation can be taken up, in milliseconds. Default: as the broker says. */
  ttlMs?: number;
  /** How often it can be taken up. Default: as the broker says. */
  uses?: number;
}

/** What to give to another person: see `invitationLink`. */
export interface Invitation {
  invitation: string;
  /** In milliseconds since 1970, by the clock of the broker. */
  expiresAt: number;
}

/** How a session ended. */
export interface SessionEnd {
  /** False where the broker has no store: copies of the token work on until its time is over. */
  revoked: boolean;
  /**
   * Whether the sandbox was killed with it. Undefined where that is not known: the session had ended before, which an
   * earlier try of the same call may have done, whose answer was lost.
   */
  killed: boolean | undefined;
}

export const pauseRules: Rules<PauseOptions> = { ...callRules, keepMemory: flag };
export const resumeRules: Rules<ResumeOptions> = { ...callRules, timeoutMs: lifetime };
export const inviteRules: Rules<InviteOptions> = {
  ...callRules,
  grant: object,
  ttlMs: whole(1),
  uses: whole(1),
};
