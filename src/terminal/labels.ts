import type { GapEvent } from '../channel/channel.js';

/** The words that a terminal shows to its user; each may be replaced. */
export interface TerminalLabels {
  /** The accessible name of the terminal. */
  terminal: string;
  /** How to get out of the terminal by keyboard, for those who cannot see that. */
  leaveHint: string;
  connecting: string;
  reconnecting: string;
  tryNow: string;
  exited: (exit: { exitCode: number; status: string }) => string;
  restart: string;
  gap: (gap: GapEvent) => string;
  inputNotSent: string;
  inputUncertain: string;
  sendAgain: string;
  dismiss: string;
  /** For the error code `replaced`. */
  takeBack: string;
  /** Another window writes, and this one watches. */
  watching: string;
  takeOver: string;
  /** The session may only watch. */
  readOnly: string;
  reopen: string;
  /** Why the terminal closed, by the error's `code`; `sandbox_paused` also while it waits for the resume. */
  closed: Record<string, string>;
  /** Why the terminal closed, for codes that `closed` does not have. */
  closedOtherwise: (error: unknown) => string;
}

/** The texts given, and English for the others. */
export function terminalLabels(replaced: Partial<TerminalLabels> = {}): TerminalLabels {
  return { ...english, ...replaced, closed: { ...english.closed, ...replaced.closed } };
}

const english: TerminalLabels = {
  terminal: 'Terminal',
  leaveHint: 'Shift+F6 leaves the terminal.',
  connecting: 'Connecting…',
  reconnecting: 'Connection lost. Reconnecting…',
  tryNow: 'Try now',
  exited: (exit) => `The shell ended (${exit.status}).`,
  restart: 'Start a new shell',
  gap: (gap) =>
    gap.to === null
      ? 'Some earlier output is missing here.'
      : `${(gap.to - gap.from).toLocaleString('en')} bytes of earlier output are missing here.`,
  inputNotSent: 'What you typed was not sent.',
  inputUncertain: 'The connection broke while you typed. Check whether your last input arrived.',
  sendAgain: 'Send it now',
  dismiss: 'Dismiss',
  takeBack: 'Use it here',
  watching: 'Another window is typing here.',
  takeOver: 'Take over',
  readOnly: 'You can watch this terminal, but not type.',
  reopen: 'Reconnect',
  closed: {
    replaced: 'This terminal was opened in another tab.',
    session_expired: 'Your session has ended.',
    session_revoked: 'Your session was ended.',
    session_refused: 'You no longer have access to this sandbox.',
    unauthenticated: 'Your session was not accepted.',
    permission_denied: 'You are not allowed to use a terminal here.',
    not_found: 'This shell no longer exists.',
    process_not_found: 'This shell no longer exists.',
    sandbox_not_found: 'This sandbox no longer exists.',
    sandbox_ended: 'This sandbox has ended.',
    sandbox_paused: 'This sandbox is paused.',
    rate_limited: 'Too many terminals are open. Close one and try again.',
    upstream_unavailable: 'The sandbox service cannot be reached.',
    connection_failed: 'The server cannot be reached.',
    connection_lost: 'The connection was lost.',
  },
  closedOtherwise: (error) =>
    `The terminal was closed${error instanceof Error && error.message ? `: ${error.message}` : '.'}`,
};
