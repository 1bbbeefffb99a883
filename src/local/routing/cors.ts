import type { IncomingMessage, ServerResponse } from 'node:http';
import { envdPort } from '../control/knock.js';
import type { Route } from './request-route.js';

const exposed = [
  'Grpc-Status',
  'Grpc-Message',
  'Grpc-Status-Details-Bin',
  'Location',
  'Cache-Control',
  'X-Content-Type-Options',
  // Not exposed upstream; a page needs them to resume a download.
  'Accept-Ranges',
  'Content-Disposition',
  'Content-Range',
].join(', ');

const maxAgeSeconds = 7200;

/**
 * Whether this is a preflight of a request to envd. On a shared host it carries no routing headers, only their names.
 * Services at other ports answer their preflights themselves.
 */
export function isEnvdPreflight(request: IncomingMessage, route: Route): boolean {
  if (!isPreflight(request)) return false;
  if (route.face === 'sandbox') return route.port === envdPort;
  const asked = (request.headers['access-control-request-headers'] ?? '').toLowerCase();
  return asked.includes('e2b-sandbox-id') || isFilesPath(request.url);
}

export function isPreflight(request: IncomingMessage): boolean {
  return request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined;
}

/** Signed URLs name no sandbox; see `findBySignature`. */
export function isFilesPath(url: string | undefined): boolean {
  return url?.split('?', 1)[0] === '/files';
}

/** Lets any page read answers of a sandbox: what protects it is its token, as upstream. */
export function allowAnyOrigin(request: IncomingMessage, response: ServerResponse): void {
  if (request.headers.origin === undefined) return;
  response.setHeader('access-control-allow-origin', '*');
  response.setHeader('access-control-expose-headers', exposed);
}

/** Lets a listed page use the control plane. */
export function allowOrigin(origin: string, response: ServerResponse): void {
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-expose-headers', 'X-Next-Token, X-Total-Running');
  response.setHeader('vary', 'Origin');
}

export function answerPreflight(request: IncomingMessage, response: ServerResponse): void {
  const method = request.headers['access-control-request-method'];
  const headers = request.headers['access-control-request-headers'];
  response.setHeader('access-control-allow-methods', String(method));
  if (headers !== undefined) response.setHeader('access-control-allow-headers', headers);
  response.setHeader('access-control-max-age', maxAgeSeconds);
  response.writeHead(204).end();
}
