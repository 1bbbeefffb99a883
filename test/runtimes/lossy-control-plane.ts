/** A proxy in front of the control plane that loses answers to creates, as the metadata `lose` tells it; `mark` names the creation. */

import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * `answer`: the first request is executed and its answer lost. `every-answer`: those of all. `request`: the first one
 * does not arrive. `late`: the first one is lost and executed only after the second one, just before that is answered. `silence`:
 * they are executed and never answered.
 */
type Loss = 'answer' | 'every-answer' | 'request' | 'late' | 'silence';

export interface LossyControlPlane {
  url: string;
  close(): Promise<void>;
}

interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

/** Starts the proxy on loopback. */
export async function startLossyControlPlane(target: string): Promise<LossyControlPlane> {
  /** The creations of which a request was lost, and what that leaves to be done. */
  const lost = new Map<string, () => Promise<unknown>>();

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readAll(request);
    const execute = (): Promise<Answer> => pass(request, body, target);
    const { metadata = {} } = (JSON.parse(body.toString() || '{}') ?? {}) as {
      metadata?: Record<string, string>;
    };
    const isCreate = request.method === 'POST' && request.url === '/v2/sandboxes';
    const loss = isCreate ? (metadata.lose as Loss | undefined) : undefined;
    const key = metadata.mark ?? '';
    const repeated = lost.has(key);
    const loseFirst = loss !== undefined && !repeated;
    if (loseFirst) lost.set(key, async () => (loss === 'late' ? execute() : undefined));
    if (loss === 'silence') await execute();
    else if (loss === 'every-answer' || (loss === 'answer' && loseFirst)) {
      await execute();
      response.destroy();
    } else if (loseFirst) response.destroy();
    else {
      const { status, headers, body: answered } = await execute();
      if (loss !== undefined) await lost.get(key)?.();
      response.writeHead(status, headers).end(answered);
    }
  };

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function pass(request: IncomingMessage, body: Buffer, target: string): Promise<Answer> {
  const { hostname, port } = new URL(target);
  const { 'transfer-encoding': _chunked, connection: _connection, ...headers } = request.headers;
  return new Promise((resolve, reject) => {
    const upstream = forward({
      hostname,
      port,
      method: request.method,
      path: request.url,
      headers: { ...headers, host: `${hostname}:${port}`, 'content-length': body.length },
      agent: false,
    });
    upstream.once('response', (answer) => {
      readAll(answer).then(
        (answered) => resolve({ status: answer.statusCode ?? 502, headers: answer.headers, body: answered }),
        reject,
      );
    });
    upstream.once('error', reject);
    upstream.end(body);
  });
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
