/** A server in the place of E2B that creates sandboxes and then fails in one chosen way, whatever is asked. */

import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const faults = [
  '400',
  '401',
  '403',
  '404',
  'not_found',
  '409',
  '429',
  '500',
  '502',
  '503',
  '504',
  '507',
  'hang up',
  'refuse',
  'timeout',
] as const;
export type Fault = (typeof faults)[number];

/** How each fault is shown in the table. */
export const faultTitles: Record<Fault, string> = {
  '400': '400',
  '401': '401',
  '403': '403',
  '404': '404',
  not_found: '404 with a Connect error `not_found`',
  '409': '409',
  '429': '429 with `Retry-After: 1`',
  '500': '500',
  '502': '502',
  '503': '503',
  '504': '504',
  '507': '507',
  'hang up': 'nothing, and closes the connection',
  refuse: 'nothing: no connection is made',
  timeout: 'no answer, `requestTimeoutMs: 500`',
};

export interface FaultServer {
  url: string;
  sandboxId: string;
  /** What happens to the requests from now on; nothing: sandboxes can be created. */
  fault: Fault | undefined;
  /** Takes no connections, and cuts those there are; a second call undoes it. */
  toggle(): Promise<void>;
  close(): Promise<void>;
}

export async function startFaultServer(): Promise<FaultServer> {
  const sandboxId = 'ifaultyfaultyfaultyfa';
  const http = createServer((request, response) => {
    request.resume();
    const { fault } = server;
    if (fault === undefined) create(response, sandboxId);
    // After a request was lost it is asked whether the sandbox is still there: it is.
    else if (fault === 'hang up')
      request.url === '/health' ? response.writeHead(204).end() : response.destroy();
    else if (fault !== 'timeout' && fault !== 'refuse') fail(response, fault);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  const server: FaultServer = {
    url: `http://127.0.0.1:${port}`,
    sandboxId,
    fault: undefined,
    toggle: () =>
      new Promise((resolve) => {
        if (!http.listening) return listenAgain(http, port, resolve);
        http.close(() => resolve());
        http.closeAllConnections();
      }),
    close: () => {
      http.closeAllConnections();
      return new Promise((resolve) => http.close(() => resolve()));
    },
  };
  return server;
}

/** The port may have been taken for a moment, as by a connection of another test. */
function listenAgain(http: Server, port: number, onListening: () => void): void {
  http.once('error', () => setTimeout(() => listenAgain(http, port, onListening), 100));
  http.listen(port, '127.0.0.1', () => {
    http.removeAllListeners('error');
    onListening();
  });
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

function fail(response: ServerResponse, fault: Exclude<Fault, 'timeout' | 'hang up' | 'refuse'>): void {
  const status = fault === 'not_found' ? 404 : Number(fault);
  const code = fault === 'not_found' ? fault : status;
  response.writeHead(status, {
    'content-type': 'application/json',
    ...(status === 429 && { 'retry-after': '1' }),
  });
  response.end(JSON.stringify({ code, message: `the fault ${fault}` }));
}
