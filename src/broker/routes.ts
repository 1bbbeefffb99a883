/** What a broker answers to: exact paths, so that nothing is routed that is not listed. */

import { httpRefusal, routeNotFound } from './refusals.js';

/** What a sandbox id looks like: it becomes part of a host name. */
export const sandboxIdPattern: RegExp = /^[a-z0-9]{1,64}$/;

/**
 * Method, path below `basePath`, name. Of two that match, the first one counts. A part that begins with a colon is a
 * parameter; with a star at its end, it is all that is left of the path, as it was sent. Previews are not among them:
 * they take every method, and can be at hosts of their own.
 */
const routes = [
  ['POST', '/sessions', 'mint'],
  ['POST', '/sessions/refresh', 'refresh'],
  ['GET', '/sessions/:sessionId', 'info'],
  ['DELETE', '/sessions/:sessionId', 'end'],
  ['POST', '/sessions/:sessionId/invite', 'invite'],
  ['GET', '/sessions/:sessionId/metrics', 'metrics'],
  ['POST', '/sessions/:sessionId/extend', 'extend'],
  ['POST', '/sessions/:sessionId/pause', 'pause'],
  ['POST', '/sessions/:sessionId/resume', 'resume'],
  ['POST', '/sessions/:sessionId/kill', 'kill'],
  ['POST', '/files/sign', 'sign'],
  ['GET', '/.well-known/jwks.json', 'jwks'],
  ['GET', '/pty/:sandboxId', 'pty'],
  ['GET', '/envd/:sandboxId/health', 'health'],
  ['GET', '/envd/:sandboxId/files', 'download'],
  ['POST', '/envd/:sandboxId/files', 'upload'],
  ['POST', '/envd/:sandboxId/:procedure*', 'rpc'],
] as const;

/** What parameters look like; those that are not here may be anything. */
const parameters: Record<string, RegExp> = {
  sessionId: /^[0-9a-f-]{36}$/,
  sandboxId: sandboxIdPattern,
  // Which procedures there are is known where they are called; any other is refused there.
  procedure: /^[a-z]+\.[A-Za-z]+\/[A-Za-z]+$/,
};

type Listed = (typeof routes)[number];
type Parameters<Path extends string> = Path extends `${string}:${infer Name}/${infer Rest}`
  ? { [key in Name]: string } & Parameters<`/${Rest}`>
  : Path extends `${string}:${infer Name}`
    ? { [key in Name extends `${infer Plain}*` ? Plain : Name]: string }
    : unknown;

/** A route that was matched, with its parameters. */
export type Route = { [Row in Listed as Row[2]]: { name: Row[2] } & Parameters<Row[1]> }[Listed[2]];

/** The route of a request. */
export function matchRoute(method: string, pathname: string, basePath: string): Route {
  const methods = routesAt(pathname, basePath);
  const route = methods[method];
  if (route) return route;
  if (Object.keys(methods).length === 0) throw routeNotFound();
  throw httpRefusal(405, 'method_not_allowed', `This route takes ${Object.keys(methods).join(' and ')}.`);
}

/** The routes of a path by method; none where there is no such path. */
export function routesAt(pathname: string, basePath: string): Record<string, Route> {
  const found: Record<string, Route> = {};
  if (!pathname.startsWith(`${basePath}/`)) return found;
  const parts = pathname.slice(basePath.length + 1).split('/');
  for (const [method, path, name] of routes as readonly (readonly [string, string, string])[]) {
    const values = valuesOf(path.slice(1).split('/'), parts);
    if (values) found[method] ??= { name, ...values } as Route;
  }
  return found;
}

/** The parameters of a path, if it is one of that shape. */
function valuesOf(shape: readonly string[], parts: readonly string[]): Record<string, string> | undefined {
  const isOpen = shape.at(-1)?.endsWith('*');
  if (isOpen ? parts.length < shape.length : parts.length !== shape.length) return undefined;
  const values: Record<string, string> = {};
  for (const [index, expected] of shape.entries()) {
    const [, name, star] = /^:(\w+)(\*?)$/.exec(expected) ?? [];
    const value = star ? parts.slice(index).join('/') : (parts[index] as string);
    if (name === undefined ? value !== expected : parameters[name]?.test(value) === false) return undefined;
    if (name !== undefined) values[name] = value;
  }
  return values;
}
