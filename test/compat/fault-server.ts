/** A server in the place of E2B that creates sandboxes and then fails in one chosen way, whatever is asked. */

import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const faults = ['401', '404', 'not_found', '429', '502', 'timeout'] as const;
export type Fault = (typeof faults)[number];

/** How each fault is shown in the table. */
export const faultTitles: Record<Fault, string> = {
  '401': '401',
  '404': '404',
  not_found: '404 with a Connect error `not_found`',
  '429': '429 with `Retry-After: 1`',
  '502': '502',
  timeout: 'no answer, `requestTimeoutMs: 500`',
};

export interface FaultServer {
  url: string;
  sandboxId: string;
  /** What happens to the requests from now on; nothing: sandboxes can be created. */
  fault: Fault | undefined;
  close(): Promise<void>;
}

export async function startFaultServer(): Promise<FaultServer> {
  const sandboxId = 'ifaultyfaultyfaultyfa';
  const http = createServer((request, response) => {
    request.resume();
    if (server.fault === undefined) create(response, sandboxId);
    else if (server.fault !== 'timeout') fail(response, server.fault);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const server: FaultServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    sandboxId,
    fault: undefined,
    close: () => {
      http.closeAllConnections();
      return new Promise((resolve) => http.close(() => resolve()));
    },
  };
  return server;
}

function create(response: ServerResponse, sandboxID: string): void {
  response.writeHead(201, { 'content-type': 'application/json' });
  response.end(
    JSON.stringify({
      templateID: 'base',
      sandboxID,
      clientID: '6532622b',
      envdVersion: '0.6.13',
      envdAccessToken: 'a'.repeat(64),
    }),
  );
}

function fail(response: ServerResponse, fault: Exclude<Fault, 'timeout'>): void {
  const status = fault === 'not_found' ? 404 : Number(fault);
  const code = fault === 'not_found' ? fault : status;
  response.writeHead(status, {
    'content-type': 'application/json',
    ...(status === 429 && { 'retry-after': '1' }),
  });
  response.end(JSON.stringify({ code, message: `the fault ${fault}` }));
}
