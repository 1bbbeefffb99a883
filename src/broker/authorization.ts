/** What a broker asks of its application, and what that answers. */

import type { Grant } from '../wire/session.js';

/** What a page wants, for `authorize` to judge. */
export type Intent = MintIntent | JoinIntent | RefreshIntent;

/** A page wants a session. */
export interface MintIntent {
  action: 'mint';
  /** The sandbox that the page wants to go on with. Not verified. */
  sandboxId?: string;
  /** What the page asks for. Not verified; it gets no more than is granted. */
  grant?: Grant;
  /** The page wants envd's own address and token: see `dangerouslyAllowDirect`. */
  direct?: true;
}

/** A page has an invitation to the sandbox of another session. The invitation was found good. */
export interface JoinIntent {
  action: 'join';
  sandboxId: string;
  /** The subject of the session that invites. */
  invitedBy: string;
  /** The most that there is to be had: what the invitation passes on, and of that what the page asks for. */
  grant: Grant;
}

/** A page wants a fresh token for its session. */
export interface RefreshIntent {
  action: 'refresh';
  sandboxId: string;
  sessionId: string;
  /** Who the session was given to. */
  subject: string;
  /** What the session may do so far; a refresh never adds to it. */
  grant: Grant;
  /** For a session that came by an invitation: the subject of the session that invited. */
  invitedBy?: string;
}

/** A sandbox that is made for the page, unless it asks for one that was made for its user by the same answer before. */
export interface NewSandbox {
  template: string;
  /** Kept with the sandbox. Keys that begin with `e2bEdge` or `e2b-edge` are the broker's and are refused. */
  metadata?: Record<string, string>;
  /** Environment variables of all programs in the sandbox. */
  envs?: Record<string, string>;
  /**
   * The subject's own sandbox, one for all of its sessions: found again, running or paused (it is resumed), and made on
   * first use. A text names one of several. Default false: a new sandbox for each session.
   */
  reuse?: boolean | string;
  /** What happens to the sandbox at its end. `pause` keeps it, with its memory, until it is used again. Default `kill`. */
  onTimeout?: 'kill' | 'pause';
}

/** How long a sandbox lives. */
export interface SandboxLife {
  /**
   * How long the sandbox lives on once nobody is attached, in milliseconds. Default 300 000. More than an hour holds
   * from the mint on; while a page is attached the end is put off by an hour at most.
   */
  timeoutMs?: number;
  /**
   * Whether a page puts off the sandbox's end: while it is at a terminal or listens to a command, and whenever it
   * refreshes its session. Default true.
   */
  keepAlive?: boolean;
  /**
   * Whether the sandbox is killed when the session is ended: by the page, or by `revoke`. A session whose time runs out
   * leaves it to its own end. Default false. Of no effect for a session that came by an invitation.
   */
  endWithSession?: boolean;
}

/** What the application allows. */
export interface Authorization {
  /**
   * The user, by a name that stays: it decides which sandboxes and, along with `grants.user`, which processes and
   * terminals are theirs.
   */
  subject: string;
  /**
   * A template to make a sandbox of, or the id of one. By id it need not be the subject's; what the page asks for by
   * itself must be. For an invitation, the sandbox is that of the session that invites.
   */
  sandbox: (NewSandbox | { id: string }) & SandboxLife;
  grants: Grant;
  /**
   * The subject whose processes and terminals the session has, in the place of its own: with `pty: 'read'`, somebody who
   * watches another's terminal. `grants.user` has to be the same as the other's. Not for an invitation, which has those
   * of the session that invites.
   */
  processesOf?: string;
  /** The most that the session may pass on by invitations. Default: it cannot invite. */
  invite?: Grant;
  /**
   * Gives a page that asks for it (`direct: true`) the address and the token of envd itself, in the place of a session.
   * Whoever has them can do anything in the sandbox as any of its users, root included: there is no end to them, no
   * grant, no limit, no log and no revocation. Only killing the sandbox ends it. Default false.
   */
  dangerouslyAllowDirect?: boolean;
}
