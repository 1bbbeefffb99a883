/** An invitation in the fragment of a link, which browsers send to no server and which is in no server's log. */

import { check, text } from '../transport/check-options.js';

/** As much of a web page as is used here. */
interface Page {
  location?: { href: string; pathname: string; search: string; hash: string };
  history?: { state: unknown; replaceState(state: unknown, unused: string, url: string): void };
}

const prefix = '#e2b-invitation=';

/**
 * The link to give to a guest: whoever has it can take the invitation up.
 *
 * <!-- example: page -->
 * ```ts
 * const { invitation } = await sandbox.invite({ grant: { pty: 'read' } })
 * const link = invitationLink(invitation)
 * ```
 * @param page the address of the page that takes it, whose fragment is replaced. Default: this page.
 */
export function invitationLink(invitation: string, page?: string): string {
  check('invitationLink: invitation', invitation, text);
  const { location } = globalThis as Page;
  const url = new URL(page ?? location?.href ?? '', location?.href);
  url.hash = prefix + invitation;
  return url.href;
}

/**
 * Takes the invitation out of the address of this page, so that it does not stay in the address bar, in the history and
 * in what is copied from there.
 *
 * <!-- example: page -->
 * ```ts
 * const invitation = takeInvitation()
 * const sandbox = await Sandbox.connect({ session: () => fetchSession('/api/sandbox', { invitation }) })
 * ```
 * @returns undefined where the page was not opened by such a link.
 */
export function takeInvitation(): string | undefined {
  const { location, history } = globalThis as Page;
  if (!location?.hash.startsWith(prefix)) return undefined;
  const invitation = location.hash.slice(prefix.length);
  history?.replaceState(history.state, '', location.pathname + location.search);
  return invitation || undefined;
}
