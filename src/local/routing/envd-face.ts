import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Sandbox } from '../control/sandbox.js';
import type { Sandboxes } from '../control/sandboxes.js';
import { replyError, replyJson } from '../http/replies.js';
import { urlOf } from '../http/request-url.js';
import { sameSecret, signatureFault } from '../http/signature.js';
import { forward } from './envd-proxy.js';
import { envdPort } from './request-route.js';

/** Belongs to the platform; nobody reaches it from outside. */
const internalPaths = new Set([
  '/collapse',
  '/freeze',
  '/fsfreeze',
  '/fsthaw',
  '/init',
  '/unfreeze',
  '/upgrade',
]);

/** Answers a request to a port of a sandbox: checks the token and passes it on to envd. */
export function answerSandbox(
  request: IncomingMessage,
  response: ServerResponse,
  sandbox: Sandbox | undefined,
  sandboxId: string,
  port: number,
): void {
  if (!sandbox) {
    replyJson(response, 502, { sandboxId, message: 'The sandbox was not found', code: 502 });
    return;
  }
  if (port !== envdPort) {
    const message = 'The sandbox is running but port is not open';
    replyJson(response, 502, { sandboxId, message, port, code: 502 });
    return;
  }
  const url = urlOf(request);
  if (internalPaths.has(url.pathname)) {
    replyJson(response, 404, { message: 'not found', path: url.pathname, code: 404 });
    return;
  }
  const fault = credentialFault(request, url, sandbox.envdAccessToken);
  if (fault !== undefined) {
    replyError(response, 401, fault);
    return;
  }
  forward(sandbox.machine, request, response, () => {
    replyJson(response, 502, { sandboxId, message: 'The sandbox was not found', code: 502 });
  });
}

/** The sandbox that a signed URL without any identity was made for, if the signature holds for one. */
export function findBySignature(request: IncomingMessage, sandboxes: Sandboxes): Sandbox | undefined {
  const { method } = request;
  if (method !== 'GET' && method !== 'POST') return undefined;
  const { searchParams: query } = urlOf(request);
  return sandboxes
    .list()
    .find(({ envdAccessToken }) => signatureFault({ method, query }, envdAccessToken) === undefined);
}

function credentialFault(request: IncomingMessage, url: URL, token: string): string | undefined {
  const { method } = request;
  if (method === 'GET' && url.pathname === '/health') return undefined;
  const given = request.headers['x-access-token'];
  const matches = typeof given === 'string' && sameSecret(given, token);
  if (url.pathname === '/files' && (method === 'GET' || method === 'POST')) {
    if (given === undefined) return signatureFault({ method, query: url.searchParams }, token);
    return matches ? undefined : 'access token present in header but does not match';
  }
  if (matches) return undefined;
  return 'unauthorized access, please provide a valid access token or method signing if supported';
}
