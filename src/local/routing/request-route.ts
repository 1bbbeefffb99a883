import type { IncomingMessage } from 'node:http';

/** Whom a request is for. */
export type Route = { readonly face: 'control' } | SandboxRoute | RefusedRoute;

export interface SandboxRoute {
  readonly face: 'sandbox';
  readonly sandboxId: string;
  readonly port: number;
}

export interface RefusedRoute {
  readonly face: 'refused';
  readonly status: number;
  readonly message: string;
}

/**
 * Sorts a request by its Host and, on the shared host, by the routing headers. Only names that a page cannot
 * make point here are answered: any other Host may come from a website whose own name was pointed at loopback.
 */
export function routeOf(request: IncomingMessage, serverPort: number): Route {
  if ((request.headersDistinct.host?.length ?? 0) > 1) {
    return refused(400, 'There is more than one Host header');
  }
  const { name } = hostOf(request);
  if (name.endsWith('.localhost')) return routeOfLabel(name.split('.', 1)[0]!, request);
  return isOwnHost(request, serverPort) ? routeOfHeaders(request) : notServed(request, serverPort);
}

/** Whether the Host is this machine at this port, whatever a name server says. */
export function isOwnHost(request: IncomingMessage, serverPort: number): boolean {
  const { name, port } = hostOf(request);
  const isLoopback = name === 'localhost' || name === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(name);
  return isLoopback && port === serverPort;
}

export function notServed({ headers }: IncomingMessage, serverPort: number): RefusedRoute {
  const advice = `use localhost:${serverPort} or 127.0.0.1:${serverPort}`;
  return refused(421, `Host '${headers.host ?? ''}' is not served here: ${advice}`);
}

function hostOf({ headers }: IncomingMessage): { name: string; port: number } {
  const match = /^(\[[^\]]+\]|[^:]*)(?::(\d+))?$/.exec(headers.host ?? '');
  return { name: match?.[1]?.toLowerCase() ?? '', port: Number(match?.[2] ?? 80) };
}

function routeOfLabel(label: string, request: IncomingMessage): Route {
  if (label === 'api') return { face: 'control' };
  if (label === 'sandbox') return routeOfHeaders(request);
  const [port = '', sandboxId = ''] = label.split('-');
  return sandboxRoute(port, sandboxId);
}

function routeOfHeaders({ headers }: IncomingMessage): Route {
  const sandboxId = headers['e2b-sandbox-id'];
  const port = headers['e2b-sandbox-port'];
  if (sandboxId === undefined && port === undefined) return { face: 'control' };
  if (sandboxId === undefined) return refused(400, 'Missing header: E2b-Sandbox-Id');
  if (port === undefined) return refused(400, 'Missing header: E2b-Sandbox-Port');
  return sandboxRoute(String(port), String(sandboxId));
}

function sandboxRoute(port: string, idAndClient: string): Route {
  // Ids of old clients have the client's id behind a dash.
  const sandboxId = idAndClient.split('-', 1)[0]!;
  if (!/^[a-z0-9]+$/.test(sandboxId)) return refused(400, `Invalid sandbox id: '${sandboxId}'`);
  const number = /^\d{1,5}$/.test(port) ? Number(port) : 0;
  if (number < 1 || number > 65_535) return refused(400, `Invalid sandbox port: '${port}'`);
  return { face: 'sandbox', sandboxId, port: number };
}

function refused(status: number, message: string): RefusedRoute {
  return { face: 'refused', status, message };
}
