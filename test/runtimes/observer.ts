/** A proxy in front of envd, or of a broker, that counts requests, cuts them, and spoils them, when told to. */

import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Exchange {
  sandboxId: string;
  path: string;
  destroy(): void;
}

/** What becomes of the next requests for a path. */
interface Fault {
  sandboxId: string;
  path: string;
  times: number;
  /** 0: envd is asked, and what it answers is lost. */
  status: number;
  retryAfter: string | undefined;
}

export interface Observer {
  url: string;
  open(sandboxId: string, path: string): number;
  /** How many requests came in all. */
  seen(sandboxId: string, path: string): number;
  cut(sandboxId: string, path: string): void;
  spoil(fault: Fault): void;
  close(): Promise<void>;
}

/** Starts the proxy on loopback. */
export async function startObserver(target: string | (() => string)): Promise<Observer> {
  const exchanges = new Set<Exchange>();
  const seen: Exchange[] = [];
  const faults: Fault[] = [];
  const matching = (sandboxId: string, path: string): Exchange[] =>
    [...exchanges].filter((exchange) => exchange.sandboxId === sandboxId && exchange.path.includes(path));

  const server = createServer((request, response) => {
    const path = request.url ?? '';
    const proxied = /^\/envd\/([a-z0-9]+)\//.exec(path)?.[1];
    const sandboxId = String(proxied ?? request.headers['e2b-sandbox-id'] ?? '');
    // A page's question whether it may ask is no request yet; it does not say for which sandbox.
    const fault =
      request.method === 'OPTIONS'
        ? undefined
        : faults.find(
            (fault) => fault.times > 0 && fault.sandboxId === sandboxId && path.includes(fault.path),
          );
    if (fault) fault.times--;
    const destroy = fault?.status
      ? refuse(response, fault)
      : pass(request, response, typeof target === 'string' ? target : target(), fault !== undefined);
    const exchange = { sandboxId, path, destroy };
    seen.push(exchange);
    exchanges.add(exchange);
    response.once('close', () => exchanges.delete(exchange));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    open: (sandboxId, path) => matching(sandboxId, path).length,
    seen: (sandboxId, path) =>
      seen.filter((exchange) => exchange.sandboxId === sandboxId && exchange.path.includes(path)).length,
    spoil: (fault) => faults.push(fault),
    cut: (sandboxId, path) => {
      for (const exchange of matching(sandboxId, path)) exchange.destroy();
    },
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function refuse(response: ServerResponse, { status, retryAfter }: Fault): () => void {
  response.writeHead(status, {
    'content-type': 'application/json',
    // As a page must be able to see it.
    'access-control-allow-origin': '*',
    'access-control-expose-headers': 'retry-after',
    ...(retryAfter !== undefined && { 'retry-after': retryAfter }),
  });
  response.end(JSON.stringify({ code: status, message: 'not now' }));
  return () => response.destroy();
}

function pass(
  request: IncomingMessage,
  response: ServerResponse,
  target: string,
  swallow: boolean,
): () => void {
  const { hostname, port } = new URL(target);
  const upstream = forward({
    hostname,
    port,
    method: request.method,
    path: request.url,
    headers: { ...request.headers, host: `${hostname}:${port}` },
    agent: false,
  });
  upstream.on('response', (answer) => {
    if (swallow) {
      answer.destroy();
      response.destroy();
      return;
    }
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    response.flushHeaders();
    answer.pipe(response);
    answer.once('error', () => response.destroy());
  });
  upstream.once('error', () => response.destroy());
  response.once('close', () => upstream.destroy());
  request.pipe(upstream);
  return () => response.destroy();
}
