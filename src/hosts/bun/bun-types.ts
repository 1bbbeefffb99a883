/** The few shapes of Bun that are used here: its own types declare all globals anew. */

/** What `Bun.serve` gives along with a request. */
export interface BunServerLike {
  /** Makes the request a WebSocket, which comes to the `websocket` handler with this `data`; false where it cannot. */
  upgrade(request: Request, options: { data: never; headers: Record<string, string> }): boolean;
  /** Sets the seconds of silence after which the request's connection is dropped; 0 is never. */
  timeout(request: Request, seconds: number): void;
}

/** The server's end of a WebSocket. */
export interface BunServerWebSocket<Data> {
  data: Data;
  readonly readyState: number;
  binaryType?: string | undefined;
  send(data: Uint8Array<ArrayBuffer> | string): number;
  close(code?: number, reason?: string): void;
  getBufferedAmount(): number;
}
