/** A server in the place of E2B that creates sandboxes and then fails in one chosen way, whatever is asked. */

import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Socket,
  type Server as TcpServer,
} from 'node:net';

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
  const port = await listen(http);
  const neighbour = createTcpServer();
  let held: Socket | undefined;
  const server: FaultServer = {
    url: `http://127.0.0.1:${port}`,
    sandboxId,
    fault: undefined,
    toggle: async () => {
      if (!http.listening) {
        await listen(http, port);
        return;
      }
      if (!neighbour.listening) await listen(neighbour);
      http.closeAllConnections();
      await close(http);
      // Kept to the end: it is in nobody's way.
      held ??= await connectFrom(port, (neighbour.address() as AddressInfo).port);
    },
    close: async () => {
      held?.destroy();
      http.closeAllConnections();
      await Promise.all([close(http), close(neighbour)]);
    },
  };
  return server;
}

/** A connection from the port: while nobody listens at it, no other program can come to. */
async function connectFrom(localPort: number, port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, localPort });
  await once(socket, 'connect');
  return socket;
}

async function listen(server: TcpServer, port = 0): Promise<number> {
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

async function close(server: TcpServer): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
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
