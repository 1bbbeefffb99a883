import type { BunBroker } from 'e2b-edge/broker/bun';

/** As much of Bun as the examples need: its own types declare all globals anew. */
export declare const Bun: {
  serve(options: {
    websocket: BunBroker['websocket'];
    fetch(request: Request, server: Parameters<BunBroker['fetch']>[1]): Response | Promise<Response>;
  }): unknown;
};
