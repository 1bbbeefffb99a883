/** A session's life: begun, refreshed, told of, ended. */

import { isE2BEdgeError } from '../errors.js';
import type { Grant, MintRequest, Session } from '../wire/session.js';
import { authorize } from './authorize.js';
import { sessionOf } from './bearer.js';
import { askControlPlane } from './control-plane.js';
import type { Exchange } from './exchange.js';
import { parseGrant } from './grant.js';
import { openSandbox } from './open-sandbox.js';
import { readBody } from './read-body.js';
import { httpRefusal, invalidRequest, notGranted, routeNotFound, sessionRefused } from './refusals.js';
import { sandboxIdPattern } from './routes.js';
import type { SandboxAnswer } from './sandbox-directory.js';
import { type SessionClaims, signToken } from './session-token.js';

const defaultTimeoutMs = 300_000;
const maxRequestBytes = 64 * 1024;

/** `POST /sessions` */
export async function mintSession<Env>(exchange: Exchange<Env>): Promise<Response> {
  const since = Date.now();
  const { sandboxId, grant } = await readSessionRequest(exchange.request);
  const authorized = await authorize(exchange, {
    action: 'mint',
    ...(sandboxId !== undefined && { sandboxId }),
    ...(grant !== undefined && { grant }),
  });
  const seconds = Math.ceil((authorized.sandbox.timeoutMs ?? defaultTimeoutMs) / 1000);
  const sandbox = await openSandbox(exchange, authorized, sandboxId, seconds);
  const gen = await exchange.revocations.begin(authorized.subject, since);
  const claims: SessionClaims = {
    sub: authorized.subject,
    sid: crypto.randomUUID(),
    sbx: sandbox.sandboxID,
    g: authorized.grant,
    auth_time: Math.floor(Date.now() / 1000),
    ...(gen !== undefined && { gen }),
    ...(authorized.sandbox.keepAlive !== false && { keep: seconds }),
  };
  Object.assign(exchange.event, { sessionId: claims.sid, sandboxId: claims.sbx });
  return sessionResponse(exchange, claims, sandbox, 201);
}

/** `POST /sessions/refresh` */
export async function refreshSession<Env>(exchange: Exchange<Env>): Promise<Response> {
  const { directory, credentials, keepAlive } = exchange;
  const old = await sessionOf(exchange, { expired: true });
  const authorized = await authorize(exchange, {
    action: 'refresh',
    sandboxId: old.sbx,
    sessionId: old.sid,
    subject: old.sub,
    grant: old.g,
  });
  const { subject, sandbox } = authorized;
  if (subject !== old.sub || ('id' in sandbox && sandbox.id !== old.sbx)) throw sessionRefused();
  const detail = await askControlPlane(() => credentials.control.info(old.sbx));
  directory.remember({ ...detail, sandboxID: old.sbx }, credentials);
  const { keep: _keep, ...rest } = old;
  const claims: SessionClaims = {
    ...rest,
    g: authorized.grant,
    ...(sandbox.keepAlive !== false && { keep: Math.ceil((sandbox.timeoutMs ?? defaultTimeoutMs) / 1000) }),
  };
  if (detail.state === 'running') {
    // A sandbox that cannot be extended any more is still there to be used until its end.
    await keepAlive(claims, credentials).catch((error: unknown) => {
      if (isE2BEdgeError(error, 'sandbox_not_found')) throw error;
      exchange.event.cause = error;
    });
  }
  return sessionResponse(exchange, claims, detail, 200);
}

/** `GET /sessions/:id`: what the control plane knows of the sandbox, without what opens it. */
export async function describeSession<Env>(exchange: Exchange<Env>, sessionId: string): Promise<Response> {
  const claims = await ownSession(exchange, sessionId);
  if (!claims.g.lifecycle.includes('info')) throw notGranted('see what is known of the sandbox');
  const { templateID, sandboxID, envdVersion, state, startedAt, endAt, cpuCount, memoryMB, diskSizeMB } =
    await askControlPlane(() => exchange.credentials.control.info(claims.sbx));
  return json(
    { templateID, sandboxID, envdVersion, state, startedAt, endAt, cpuCount, memoryMB, diskSizeMB },
    200,
  );
}

/** `DELETE /sessions/:id` */
export async function endSession<Env>(exchange: Exchange<Env>, sessionId: string): Promise<Response> {
  const { credentials, revocations, directory } = exchange;
  const claims = await ownSession(exchange, sessionId);
  const mayKill = claims.g.lifecycle.includes('kill');
  const killed = mayKill && (await askControlPlane(() => credentials.control.kill(claims.sbx)));
  if (killed) directory.forget(claims.sbx);
  // Last, as a session that is over could not try again what failed before.
  if (revocations.areKept) await revocations.revoke({ sessionId: claims.sid });
  return json({ revoked: revocations.areKept, killed }, 200);
}

async function ownSession<Env>(exchange: Exchange<Env>, sessionId: string): Promise<SessionClaims> {
  const claims = await sessionOf(exchange);
  if (claims.sid !== sessionId) throw routeNotFound();
  return claims;
}

async function sessionResponse<Env>(
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
    },
    grant: claims.g,
  };
  return json(session, status);
}

/** A form of another site can send a POST with cookies, but not one of JSON without asking first. */
async function readSessionRequest(request: Request): Promise<MintRequest> {
  if (request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() !== 'application/json') {
    throw httpRefusal(415, 'unsupported_media_type', 'The content type has to be application/json.');
  }
  const text = new TextDecoder().decode(await readBody(request, maxRequestBytes));
  let body: unknown;
  try {
    body = text === '' ? {} : JSON.parse(text);
  } catch {
    throw invalidRequest('The body is not JSON.');
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw invalidRequest('The body is not a JSON object.');
  }
  const { sandboxId, grant } = body as { sandboxId?: unknown; grant?: unknown };
  if (sandboxId !== undefined && (typeof sandboxId !== 'string' || !sandboxIdPattern.test(sandboxId))) {
    throw invalidRequest('"sandboxId" is not the id of a sandbox.');
  }
  return {
    ...(sandboxId !== undefined && { sandboxId }),
    ...(grant !== undefined && { grant: parseGrant(grant) as Grant }),
  };
}

function json(body: unknown, status: number): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });
}
