import type { DenoKvLike } from 'e2b-edge/broker/deno';

/** As much of Deno as the examples need: its own types declare all globals anew. */
export declare const Deno: {
  env: { get(name: string): string | undefined };
  serve(handler: (request: Request) => Response | Promise<Response>): unknown;
  openKv(): Promise<DenoKvLike>;
};
