import { type PreviewSocket, upgradeRefused } from '../broker/previews/preview-socket.js';

/** The WebSocket of Deno and Bun, which takes headers along. */
type WebSocketWithHeaders = new (
  url: string,
  options: { headers: Record<string, string>; protocols?: string[] },
) => WebSocket;

/** Opens a preview's WebSocket to the app. Rejects when the app does not take it. */
export function openAppSocket({ url, headers, protocols, port }: PreviewSocket): Promise<WebSocket> {
  const Socket = globalThis.WebSocket as unknown as WebSocketWithHeaders;
  const socket = new Socket(url.replace(/^http/, 'ws'), {
    headers,
    ...(protocols.length > 0 && { protocols }),
  });
  return new Promise((resolve, reject) => {
    socket.addEventListener('open', () => resolve(socket), { once: true });
    // A refusal comes without its status.
    socket.addEventListener('close', () => reject(upgradeRefused(port)), { once: true });
    socket.addEventListener('error', () => reject(upgradeRefused(port)), { once: true });
  });
}
