import {
  type ConnectRouter,
  type ContextKey,
  createContextKey,
  createContextValues,
} from '@connectrpc/connect';

type Handler = ConnectRouter['handlers'][number];
type Request = Parameters<Handler>[0];

const contentType = 'application/connect+proto';

/** What stands for an envelope in a stream that connect encodes: one with an empty message. */
const placeholderLength = 5;

/**
 * Envelopes that are encoded already, for the stream of one call, where its client speaks the binary codec. Whoever
 * puts one here yields an empty message in its place.
 */
export const readyEnvelopes: ContextKey<Uint8Array[] | undefined> = createContextKey<
  Uint8Array[] | undefined
>(undefined, { description: 'envelopes that are encoded already' });

/** Lets the streaming methods of these paths send envelopes of their own making. */
export function allowReadyEnvelopes(router: ConnectRouter, paths: readonly string[]): void {
  const { handlers } = router;
  for (const [at, handler] of handlers.entries()) {
    if (paths.includes(handler.requestPath)) handlers[at] = Object.assign(withReady(handler), handler);
  }
}

function withReady(handler: Handler): (request: Request) => ReturnType<Handler> {
  return async (request) => {
    if (request.header.get('content-type') !== contentType) return handler(request);
    const ready: Uint8Array[] = [];
    const contextValues = (request.contextValues ?? createContextValues()).set(readyEnvelopes, ready);
    const response = await handler({ ...request, contextValues });
    return response.body ? { ...response, body: inPlace(response.body, ready) } : response;
  };
}

async function* inPlace(body: AsyncIterable<Uint8Array>, ready: Uint8Array[]): AsyncIterable<Uint8Array> {
  for await (const envelope of body) {
    const instead = envelope.length === placeholderLength ? ready.shift() : undefined;
    yield instead ?? envelope;
  }
}
