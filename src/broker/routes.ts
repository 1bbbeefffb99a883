/** What a broker answers to: exact paths, so that nothing is routed that is not listed. */

import { httpRefusal, routeNotFound } from './refusals.js';

/** What a sandbox id looks like: it becomes part of a host name. */
export const sandboxIdPattern: RegExp = /^[a-z0-9]{1,64}$/;

export type Route =
  | { name: 'mint' | 'refresh' }
  | { name: 'info' | 'end'; sessionId: string }
  | { name: 'health' | 'download' | 'upload' | 'rpc'; sandboxId: string; path: string }
  | { name: 'pty'; sandboxId: string };

/** The route of a request. `path` of a proxied one is envd's, without the leading slash. */
export function matchRoute(method: string, pathname: string, basePath: string): Route {
  const methods = routesAt(pathname, basePath);
  const route = methods[method];
  if (route) return route;
  if (Object.keys(methods).length === 0) throw routeNotFound();
  throw httpRefusal(405, 'method_not_allowed', `This route takes ${Object.keys(methods).join(' and ')}.`);
}

/** The routes of a path by method; none where there is no such path. */
export function routesAt(pathname: string, basePath: string): Record<string, Route> {
  if (!pathname.startsWith(`${basePath}/`)) return {};
  const [room, id = '', ...rest] = pathname.slice(basePath.length + 1).split('/');
  const path = rest.join('/');
  if (room === 'sessions') return rest.length > 0 ? {} : sessionRoutes(id, pathname.endsWith('/'));
  if (!sandboxIdPattern.test(id)) return {};
  if (room === 'pty') return rest.length > 0 ? {} : { GET: { name: 'pty', sandboxId: id } };
  return room === 'envd' ? envdRoutes(id, path) : {};
}

function sessionRoutes(id: string, trailingSlash: boolean): Record<string, Route> {
  if (id === '') return trailingSlash ? {} : { POST: { name: 'mint' } };
  if (id === 'refresh') return { POST: { name: 'refresh' } };
  return { GET: { name: 'info', sessionId: id }, DELETE: { name: 'end', sessionId: id } };
}

function envdRoutes(sandboxId: string, path: string): Record<string, Route> {
  if (path === 'health') return { GET: { name: 'health', sandboxId, path } };
  if (path === 'files') {
    return { GET: { name: 'download', sandboxId, path }, POST: { name: 'upload', sandboxId, path } };
  }
  // Which procedures there are is known where they are called; any other is refused there.
  return /^[a-z]+\.[A-Za-z]+\/[A-Za-z]+$/.test(path) ? { POST: { name: 'rpc', sandboxId, path } } : {};
}
