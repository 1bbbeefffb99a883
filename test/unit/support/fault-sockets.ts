import type { IncomingMessage, ServerResponse } from 'node:http';
import { serve, type TestServer } from './serve.js';

/** How a request ends: without an answer, in the middle of one, or with a status. */
export type Fate =
  | 'reset'
  | 'hang up'
  | 'half a head'
  | 'half a body'
  | { status: number; headers?: Record<string, string> }
  /** As `answer` says. */
  | 'answer';

export interface FaultServer extends TestServer {
  /** How many requests came, questions about health aside. */
  requests: number;
}

/** A server whose requests meet these fates, one after the other, and the last one from then on. */
export async function serveFaults(
  fates: [Fate, ...Fate[]],
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<FaultServer> {
  const server: FaultServer = Object.assign(
    await serve((request, response) => {
      if (request.url === '/health') return response.writeHead(204).end();
      request.resume();
      request.once('end', () => {
        const fate = fates[Math.min(server.requests, fates.length - 1)];
        server.requests++;
        meet(fate ?? 'answer', response, () => answer(request, response));
      });
    }),
    { requests: 0 },
  );
  return server;
}

function meet(fate: Fate, response: ServerResponse, answer: () => void): void {
  const { socket } = response;
  if (fate === 'answer') answer();
  else if (fate === 'reset') socket?.resetAndDestroy();
  else if (fate === 'hang up') socket?.end();
  else if (fate === 'half a head') socket?.end('HTTP/1.1 200 OK\r\nContent-Ty');
  else if (fate === 'half a body') {
    response.writeHead(200, { 'content-type': 'application/proto', 'content-length': '100' });
    response.write('{', () => response.destroy());
  } else {
    response.writeHead(fate.status, { 'content-type': 'application/json', ...fate.headers });
    response.end(JSON.stringify({ code: fate.status, message: 'no' }));
  }
}
