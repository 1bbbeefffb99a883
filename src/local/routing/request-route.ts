import type { IncomingHttpHeaders } from 'node:http';

/** The port that envd has in every sandbox. */
export const envdPort = 49983;

/** Whom a request is for. */
export type Route =
  | { readonly face: 'control' }
  | { readonly face: 'sandbox'; readonly sandboxId: string; readonly port: number }
  | { readonly face: 'refused'; readonly status: number; readonly message: string };

/**
 * Sorts a request by its Host and, on the shared host, by the routing headers. Only names that a page cannot
 * make point here are answered: any other Host may come from a website whose own name was pointed at loopback.
 */
export function routeOf(headers: IncomingHttpHeaders, serverPort: number): Route {
  const match = /^(\[[^\]]+\]|[^:]*)(?::(\d+))?$/.exec(headers.host ?? '');
  const name = match?.[1]?.toLowerCase() ?? '';
  const port = Number(match?.[2] ?? 80);
  if (name.endsWith('.localhost')) return routeOfLabel(name.split('.', 1)[0]!, headers);
  if (isLoopback(name) && port === serverPort) return routeOfHeaders(headers);
  return {
    face: 'refused',
    status: 421,
    message: `Host '${headers.host ?? ''}' is not served here: use localhost:${serverPort} or 127.0.0.1:${serverPort}`,
  };
}

function isLoopback(name: string): boolean {
  return name === 'localhost' || name === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(name);
}

function routeOfLabel(label: string, headers: IncomingHttpHeaders): Route {
  if (label === 'api') return { face: 'control' };
  if (label === 'sandbox') return routeOfHeaders(headers);
  const [port = '', sandboxId = ''] = label.split('-');
  return sandboxRoute(port, sandboxId);
}

function routeOfHeaders(headers: IncomingHttpHeaders): Route {
  const sandboxId = headers['e2b-sandbox-id'];
  const port = headers['e2b-sandbox-port'];
  if (sandboxId === undefined && port === undefined) return { face: 'control' };
  if (sandboxId === undefined) return refused('Missing header: E2b-Sandbox-Id');
  if (port === undefined) return refused('Missing header: E2b-Sandbox-Port');
  return sandboxRoute(String(port), String(sandboxId));
}

function sandboxRoute(port: string, idAndClient: string): Route {
  // Ids of old clients have the client's id behind a dash.
  const sandboxId = idAndClient.split('-', 1)[0]!;
  if (!/^[a-z0-9]+$/.test(sandboxId)) return refused(`Invalid sandbox id: '${sandboxId}'`);
  if (!/^\d{1,5}$/.test(port)) return refused(`Invalid sandbox port: '${port}'`);
  return { face: 'sandbox', sandboxId, port: Number(port) };
}

function refused(message: string): Route {
  return { face: 'refused', status: 400, message };
}
