/**
 * The few shapes of Cloudflare's runtime that are used here. Its own types declare all globals anew, which clashes with
 * those of a page in whatever program uses this package.
 */

/** A Durable Object namespace, as bound to a Worker. */
export interface DurableObjectNamespaceLike {
  idFromName(name: string): unknown;
  get(id: never): { fetch(request: Request): Promise<Response> };
}

/** The server's side of a WebSocketPair. */
export interface WorkerWebSocket extends WebSocket {
  accept(): void;
}

/** Makes both ends of a WebSocket. */
export function webSocketPair(): { client: WebSocket; server: WorkerWebSocket } {
  const { WebSocketPair } = globalThis as unknown as {
    WebSocketPair: new () => { 0: WebSocket; 1: WorkerWebSocket };
  };
  const { 0: client, 1: server } = new WebSocketPair();
  return { client, server };
}

/** The answer that hands one end to the caller. The protocol may be empty. */
export function webSocketResponse(client: WebSocket, protocol: string): Response {
  const headers: Record<string, string> = protocol === '' ? {} : { 'sec-websocket-protocol': protocol };
  return new Response(null, { status: 101, headers, webSocket: client } as ResponseInit);
}
