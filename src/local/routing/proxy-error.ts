import type { IncomingMessage, ServerResponse } from 'node:http';
import { replyJson } from '../http/replies.js';
import { allowAnyOrigin } from './cors.js';
import { errorPage } from './error-page.js';

/** Why a request did not reach what it was for: said by the proxy in the place of the sandbox. */
export class ProxyError extends Error {
  override name = 'ProxyError';
  readonly status: number;
  readonly details: Readonly<Record<string, unknown>>;
  /** What to do about it, for people. */
  readonly advice: string;

  constructor(status: number, message: string, details: Record<string, unknown>, advice: string) {
    super(message);
    this.status = status;
    this.details = details;
    this.advice = advice;
  }
}

/** The answer by which the official SDKs know that a sandbox does not run. */
export function sandboxNotFound(sandboxId: string): ProxyError {
  const advice =
    'It was killed, or reached its end time, or is paused. Create another, or connect to it to resume it.';
  return new ProxyError(502, 'The sandbox was not found', { sandboxId }, advice);
}

export function portClosed(sandboxId: string, port: number): ProxyError {
  const message = 'The sandbox is running but port is not open';
  return new ProxyError(
    502,
    message,
    { sandboxId, port },
    `Start a service at port ${port} in it, then reload.`,
  );
}

export function notHttp(sandboxId: string, port: number): ProxyError {
  const message = 'The sandbox is running but what listens on the port did not answer in HTTP/1.1';
  const advice = 'See what the service printed: it may have failed, or it speaks another protocol.';
  return new ProxyError(502, message, { sandboxId, port }, advice);
}

export function resumeRefused(sandboxId: string): ProxyError {
  const message = 'The sandbox is paused, and this request has not the token that may resume it';
  return new ProxyError(403, message, { sandboxId }, 'Connect to it by the SDK, or send its access token.');
}

export function trafficRefused(sandboxId: string, header: string, fault: 'missing' | 'wrong'): ProxyError {
  const message = `Traffic to this sandbox is private, and its token in the header '${header}' is ${fault}`;
  return new ProxyError(403, message, { sandboxId }, 'The token is what created the sandbox was given.');
}

/** Beyond the wire, any page may read it: upstream leaves pages with an unexplained network failure. */
export function replyProxyError(request: IncomingMessage, response: ServerResponse, error: ProxyError): void {
  allowAnyOrigin(request, response);
  if (wantsPage(request)) {
    const page = errorPage(error.status, error.message, error.advice, error.details);
    response.writeHead(error.status, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
      'x-content-type-options': 'nosniff',
    });
    response.end(request.method === 'HEAD' ? undefined : page);
    return;
  }
  const { sandboxId, ...others } = error.details;
  const about = sandboxId === undefined ? {} : { sandboxId };
  replyJson(response, error.status, { ...about, message: error.message, ...others, code: error.status });
}

/** Whether a person looks at the answer: a browser asks, and no script in it. */
function wantsPage({ headers }: IncomingMessage): boolean {
  const accept = (headers.accept ?? '').toLowerCase();
  if (accept.includes('application/json') && !accept.includes('text/html')) return false;
  const mode = headers['sec-fetch-mode'];
  if (mode !== undefined && mode !== 'navigate') return false;
  if (mode === undefined && headers['x-requested-with'] !== undefined) return false;
  return /mozilla|chrome|safari|firefox|edge|opera|msie/i.test(headers['user-agent'] ?? '');
}
