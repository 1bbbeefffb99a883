/**
 * Sessions that are none: a page is handed the address of envd and its token, and is out of the broker's hands from then
 * on. Nothing bounds what it does or for how long, so it is given only where the application names it, and never along
 * with grants that would promise less.
 */

import type { DirectSession } from '../wire/session.js';
import type { Authorized } from './authorize.js';
import type { Exchange } from './exchange.js';
import type { FullGrant } from './grant.js';
import { jsonResponse } from './json-response.js';
import { directNotAllowed, misconfigured } from './refusals.js';
import type { SandboxAnswer } from './sandbox-directory.js';

/** @throws where the application does not say so by name, or grants less than what it would give away. */
export function requireDirect({ dangerouslyAllowDirect, grant, processesOf }: Authorized): void {
  if (!dangerouslyAllowDirect) throw directNotAllowed();
  const less = lessThanEverything(grant);
  if (less !== undefined || processesOf !== undefined) {
    throw misconfigured(
      `The application's \`authorize\` allows a direct session, which gives everything, but ${less ?? 'names `processesOf`'}. Grant all of files, commands and pty, with no user but root, or leave out dangerouslyAllowDirect`,
    );
  }
}

export function directResponse<Env>(
  { credentials, directory, event }: Exchange<Env>,
  sandbox: SandboxAnswer,
): Response {
  const { endpoint, envdVersion } = directory.remember(sandbox, credentials);
  Object.assign(event, { sandboxId: sandbox.sandboxID, direct: true });
  const session: DirectSession = {
    direct: { envdUrl: endpoint.baseUrl, headers: endpoint.headers },
    sandboxId: sandbox.sandboxID,
    envdVersion,
  };
  return jsonResponse(session, 201);
}

/** What a grant holds back of all that envd does. */
function lessThanEverything({ files, commands, pty, strict, user }: FullGrant): string | undefined {
  for (const op of ['read', 'write']) {
    if (!files.some((file) => file.op === op && file.prefix === '/')) return `not to ${op} all files`;
  }
  if (commands !== 'run') return "not `commands: 'run'`";
  if (pty !== 'write') return "not `pty: 'write'`";
  if (strict) return 'is strict';
  return user === undefined || user === 'root' ? undefined : `pins the user "${user}"`;
}
