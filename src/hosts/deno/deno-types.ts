/** The few shapes of Deno that are used here: its own types declare all globals anew. */

interface Deno {
  upgradeWebSocket(
    request: Request,
    options: { protocol?: string },
  ): { socket: WebSocket; response: Response };
}

/** Makes a request a WebSocket; the answer hands it to the caller, and opens it. The protocol may be empty. */
export function upgradeWebSocket(
  request: Request,
  protocol: string,
): { socket: WebSocket; response: Response } {
  const { Deno } = globalThis as unknown as { Deno: Deno };
  return Deno.upgradeWebSocket(request, protocol === '' ? {} : { protocol });
}
