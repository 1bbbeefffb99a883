/** A session as a page gets it. */

import type { Session } from '../wire/session.js';
import type { Exchange } from './exchange.js';
import { jsonResponse } from './json-response.js';
import { previewTemplate } from './previews/preview-target.js';
import type { SandboxAnswer } from './sandbox-directory.js';
import { type SessionClaims, signToken } from './session-token.js';

/** Signs a token for the session and tells where to use it. */
export async function sessionResponse<Env>(
  { credentials, directory, settings }: Exchange<Env>,
  claims: SessionClaims,
  sandbox: SandboxAnswer,
  status: number,
): Promise<Response> {
  directory.remember({ ...sandbox, sandboxID: claims.sbx }, credentials);
  const base = settings.publicBase;
  const session: Session = {
    ...(await signToken(claims, credentials.tokens)),
    sessionId: claims.sid,
    sandboxId: claims.sbx,
    envdVersion: sandbox.envdVersion,
    urls: {
      envd: `${base}/envd/${claims.sbx}`,
      pty: `${base}/pty/${claims.sbx}`,
      refresh: `${base}/sessions/refresh`,
      session: `${base}/sessions/${claims.sid}`,
      sign: `${base}/files/sign`,
      ...(claims.g.ports.length > 0 && {
        preview: previewTemplate(settings, credentials.previews, claims.sbx),
      }),
    },
    grant: claims.g,
    ...(claims.inv && { invite: claims.inv }),
  };
  return jsonResponse(session, status);
}
