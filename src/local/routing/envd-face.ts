import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Sandbox } from '../control/sandbox.js';
import type { Sandboxes } from '../control/sandboxes.js';
import { replyError } from '../http/replies.js';
import { urlOf } from '../http/request-url.js';
import { sameSecret, signatureFault } from '../http/signature.js';
import { isFilesPath } from './cors.js';
import { forward } from './envd-proxy.js';
import { replyProxyError, sandboxNotFound } from './proxy-error.js';

/** Answers a request to a sandbox's envd: checks the token and passes it on. */
export function answerEnvd(request: IncomingMessage, response: ServerResponse, sandbox: Sandbox): void {
  const url = urlOf(request);
  const expiration = url.searchParams.get('signature_expiration');
  if (isFilesPath(request.url) && expiration !== null && !/^[+-]?\d+$/.test(expiration)) {
    // envd reads the query before it looks at who asks.
    response.writeHead(400, { 'content-type': 'text/plain; charset=utf-8' });
    response.end(`Invalid format for parameter signature_expiration: '${expiration}' is not a number\n`);
    return;
  }
  const fault = credentialFault(request, url, sandbox.envdAccessToken);
  if (fault !== undefined) {
    replyError(response, 401, fault);
    return;
  }
  forward(sandbox.machine, request, response, () => {
    replyProxyError(request, response, sandboxNotFound(sandbox.id));
  });
}

/**
 * The sandbox that a signed URL without any identity was made for, if the signature holds for one. What is not
 * secured has no signatures, and so cannot be told apart.
 */
export function findBySignature(request: IncomingMessage, sandboxes: Sandboxes): Sandbox | undefined {
  const { method } = request;
  if (method !== 'GET' && method !== 'POST') return undefined;
  const { searchParams: query } = urlOf(request);
  return sandboxes
    .list()
    .find(
      ({ envdAccessToken: token }) =>
        token !== undefined && signatureFault({ method, query }, token) === undefined,
    );
}

/** `token` is absent for a sandbox that was created without being secured: it is open, as upstream. */
function credentialFault(request: IncomingMessage, url: URL, token: string | undefined): string | undefined {
  if (token === undefined) return undefined;
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
