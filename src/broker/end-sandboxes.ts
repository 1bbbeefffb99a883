/** The sandboxes that are killed along with the sessions that are ended. */

import { askControlPlane } from './control-plane.js';
import type { Scope } from './exchange.js';
import { findMarked } from './find-marked.js';
import type { Revocation } from './revocation.js';
import { endMark } from './sandbox-mark.js';
import { type SessionClaims, sessionEndsAt } from './session-token.js';
import { askStore, storeKey } from './store-access.js';

/** Keeps which sandbox ends with the session: whoever revokes it names the session alone. */
export async function rememberEnd<Env>({ credentials }: Scope<Env>, claims: SessionClaims): Promise<void> {
  const { store, tokens } = credentials;
  if (!claims.ews || !store) return;
  const key = await endKey(claims.sid);
  await askStore('take what ends with the session', () =>
    store.set(key, claims.sbx, sessionEndsAt(claims, tokens)),
  );
}

/**
 * Kills what ends with the sessions that were just revoked. Of a subject, that is all that were made for it to end so;
 * one that the application named by its id is known by the session alone.
 */
export async function killEnded<Env>(scope: Scope<Env>, what: Revocation): Promise<void> {
  const { control } = scope.credentials;
  for (const sandboxId of await endedWith(scope, what)) {
    await askControlPlane(() => control.kill(sandboxId));
    scope.directory.forget(sandboxId);
  }
}

async function endedWith<Env>({ credentials }: Scope<Env>, what: Revocation): Promise<string[]> {
  const { control, store, tokens } = credentials;
  if ('subject' in what) {
    const marked = await findMarked(control, endMark({ subject: what.subject, issuer: tokens.issuer }));
    return marked.map(({ sandboxID }) => sandboxID);
  }
  const key = await endKey(what.sessionId);
  const sandboxId = await askStore('tell what ends with the session', () => store?.get(key));
  return sandboxId ? [sandboxId] : [];
}

const endKey = (sessionId: string): Promise<string> => storeKey('ends-with', sessionId);
