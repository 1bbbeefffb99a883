import { type PreviewSocket, upgradeRefused } from '../../broker/previews/preview-socket.js';
import type { FetchLike } from '../../transport/authorized-fetch.js';
import { bridgePreview } from '../bridge-preview.js';
import { workerSocket } from './worker-socket.js';
import { type WorkerWebSocket, webSocketPair, webSocketResponse } from './workers-types.js';

/** Opens a preview's WebSocket at both ends: a Worker's client is its `fetch`. */
export async function servePreview(
  preview: PreviewSocket,
  fetch: FetchLike = globalThis.fetch,
): Promise<Response> {
  const { url, headers, protocols, port } = preview;
  const offered = protocols.length > 0 ? { 'sec-websocket-protocol': protocols.join(', ') } : {};
  const answer: Response & { webSocket?: WorkerWebSocket | null } = await fetch(url, {
    headers: { ...headers, ...offered, upgrade: 'websocket' },
  });
  if (!answer.webSocket) {
    await answer.body?.cancel();
    throw upgradeRefused(port, new Error(`HTTP ${answer.status}`));
  }
  const attach = bridgePreview(workerSocket(answer.webSocket), preview);
  const { client, server } = webSocketPair();
  attach(workerSocket(server));
  return webSocketResponse(client, answer.headers.get('sec-websocket-protocol') ?? '');
}
