/** A WebSocket of a preview's page, as its browser opens it. */

import { once } from 'node:events';
import { type ClientOptions, WebSocket } from 'ws';
import type { BrokerStage } from './broker-stage.js';
import type { OpenPreview } from './open-preview.js';

export interface OpenSocket {
  socket: WebSocket;
  /** What the app saw of the handshake. */
  seen: { url: string; headers: Record<string, string> };
  next(): Promise<string>;
}

/** Opens one that the app takes. */
export async function openPreviewSocket(
  stage: BrokerStage,
  url: string,
  headers: Record<string, string>,
  origin: string,
  protocols = ['app.v1', 'app.v2'],
): Promise<OpenSocket> {
  const socket = dial(stage, url, protocols, { headers, origin });
  const messages: string[] = [];
  let waiting = (): void => undefined;
  socket.on('message', (data: Buffer, isBinary) => {
    messages.push(isBinary ? `binary ${data.length}` : data.toString());
    waiting();
  });
  const next = async (): Promise<string> => {
    while (messages.length === 0) {
      await new Promise<void>((resolve, reject) => {
        waiting = resolve;
        socket.once('close', (code: number) => reject(new Error(`closed with ${code}`)));
      });
    }
    return messages.shift() as string;
  };
  await once(socket, 'open');
  return { socket, seen: JSON.parse(await next()) as OpenSocket['seen'], next };
}

/** What one says that is not to be opened. */
export function refusedPreviewSocket(
  stage: BrokerStage,
  url: string,
  headers: Record<string, string>,
  origin: string,
): Promise<string> {
  const socket = dial(stage, url, [], { headers, origin });
  return new Promise((resolve, reject) => {
    socket.once('open', () => reject(new Error('it was accepted')));
    socket.once('error', (error) => resolve(error.message));
  });
}

/** The origin that the preview's own page has; below the broker's path it is in a sandbox of its browser. */
export function pageOriginOf({ url }: OpenPreview): string {
  return new URL(url).pathname === '/' ? new URL(url).origin : 'null';
}

function dial(stage: BrokerStage, url: string, protocols: string[], options: ClientOptions): WebSocket {
  const { host, pathname, search } = new URL(url);
  const address = stage.host.url.replace('http', 'ws') + pathname + search;
  return new WebSocket(address, protocols, {
    ...options,
    headers: { host, ...options.headers },
    // As browsers write it: Deno knows no list without spaces.
    finishRequest(request) {
      if (protocols.length > 0) request.setHeader('sec-websocket-protocol', protocols.join(', '));
      request.end();
    },
  });
}
