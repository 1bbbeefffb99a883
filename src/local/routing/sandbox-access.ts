import type { IncomingMessage } from 'node:http';
import { posix } from 'node:path';
import { envdPort, type Knock } from '../control/knock.js';
import type { Sandbox } from '../control/sandbox.js';
import type { Sandboxes } from '../control/sandboxes.js';
import { ApiError } from '../http/replies.js';
import { urlOf } from '../http/request-url.js';
import { sameSecret } from '../http/signature.js';
import { ProxyError, resumeRefused, sandboxNotFound, trafficRefused } from './proxy-error.js';
import type { SandboxRoute } from './request-route.js';

const trafficTokenHeader = 'e2b-traffic-access-token';

/** Belongs to the platform; nobody reaches it from outside. */
const internalPaths = new Set([
  '/collapse',
  '/freeze',
  '/fsfreeze',
  '/fsthaw',
  '/init',
  '/start',
  '/unfreeze',
  '/upgrade',
]);

/**
 * The sandbox that a request is for, if whoever sends it may reach that port of it. One that is paused is woken, where
 * it was created so.
 *
 * @throws `ProxyError`
 */
export async function reachSandbox(
  sandboxes: Sandboxes,
  request: IncomingMessage,
  { sandboxId, port }: SandboxRoute,
): Promise<Sandbox> {
  if (port === envdPort) refuseInternal(request);
  const sandbox = await sandboxes.reach(sandboxId, knockOf(request, port)).catch((error) => {
    throw error instanceof ApiError && error.status === 403 ? resumeRefused(sandboxId) : error;
  });
  if (!sandbox) throw sandboxNotFound(sandboxId);
  // envd has a token of its own.
  if (port !== envdPort) checkTraffic(request, sandbox);
  return sandbox;
}

function knockOf(request: IncomingMessage, port: number): Knock {
  const { 'x-access-token': envdAccessToken, [trafficTokenHeader]: trafficAccessToken } = request.headers;
  return { port, envdAccessToken: textOf(envdAccessToken), trafficAccessToken: textOf(trafficAccessToken) };
}

/** A header that is there several times is none that was asked for. */
function textOf(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function checkTraffic({ headers }: IncomingMessage, { id, trafficAccessToken }: Sandbox): void {
  if (trafficAccessToken === undefined) return;
  const given = textOf(headers[trafficTokenHeader]);
  if (!given) throw trafficRefused(id, trafficTokenHeader, 'missing');
  if (!sameSecret(given, trafficAccessToken)) throw trafficRefused(id, trafficTokenHeader, 'wrong');
}

/** @throws `ProxyError` for what only the platform may ask of envd. */
export function refuseInternal(request: IncomingMessage): void {
  // As envd reads it, for which `%2e` is a dot and a backslash a slash.
  const path = urlOf(request).pathname;
  if (!internalPaths.has(posix.normalize(path).replace(/(?<=.)\/$/, ''))) return;
  const message = 'This path belongs to the platform and cannot be reached from outside';
  throw new ProxyError(404, message, { path }, 'Use the SDK or the control plane for what it does.');
}
