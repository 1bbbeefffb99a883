/** A proxy in front of envd that counts the requests being answered, and cuts them when told to. */

import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Exchange {
  sandboxId: string;
  path: string;
  destroy(): void;
}

export interface Observer {
  url: string;
  open(sandboxId: string, path: string): number;
  cut(sandboxId: string, path: string): void;
  close(): Promise<void>;
}

/** Starts the proxy on loopback. */
export async function startObserver(target: string): Promise<Observer> {
  const exchanges = new Set<Exchange>();
  const matching = (sandboxId: string, path: string): Exchange[] =>
    [...exchanges].filter((exchange) => exchange.sandboxId === sandboxId && exchange.path.includes(path));

  const server = createServer((request, response) => {
    const exchange = pass(request, response, target);
    exchanges.add(exchange);
    response.once('close', () => exchanges.delete(exchange));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    open: (sandboxId, path) => matching(sandboxId, path).length,
    cut: (sandboxId, path) => {
      for (const exchange of matching(sandboxId, path)) exchange.destroy();
    },
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function pass(request: IncomingMessage, response: ServerResponse, target: string): Exchange {
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
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    response.flushHeaders();
    answer.pipe(response);
    answer.once('error', () => response.destroy());
  });
  upstream.once('error', () => response.destroy());
  response.once('close', () => upstream.destroy());
  request.pipe(upstream);
  return {
    sandboxId: String(request.headers['e2b-sandbox-id'] ?? ''),
    path: request.url ?? '',
    destroy: () => response.destroy(),
  };
}
