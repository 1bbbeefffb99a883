/** A program of Bun. Nothing runs it: it is compiled. */

import { type BunServerLike, type BunWebSocketHandler, createBroker } from 'e2b-edge/broker/bun';

declare const Bun: {
  serve(options: {
    fetch(request: Request, server: BunServerLike): Promise<Response>;
    websocket: BunWebSocketHandler;
  }): void;
};

const { fetch, websocket } = createBroker({
  apiKey: 'e2b_00',
  signingKeys: { current: 'a key of thirty-two characters…' },
  origins: ['https://app.example'],
  authorize: () => null,
});

Bun.serve({ fetch, websocket });
