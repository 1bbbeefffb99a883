import * as edge from 'e2b-edge';
import * as browser from 'e2b-edge/browser';
import * as errors from 'e2b-edge/errors';
import { suiteHandler } from './suite-handler.js';

/** The part of Deno's own interface that is used here. */
declare const Deno: {
  serve(
    options: { hostname: string; port: number; onListen(address: { port: number }): void },
    handler: (request: Request) => Promise<Response>,
  ): unknown;
  stdin: { readable: ReadableStream<Uint8Array> };
  exit(): never;
};

Deno.serve(
  { hostname: '127.0.0.1', port: 0, onListen: ({ port }) => console.log(`http://127.0.0.1:${port}`) },
  suiteHandler('deno', { edge, browser, errors }),
);

// Ends with the test that started it, however that ends.
await Deno.stdin.readable.pipeTo(new WritableStream());
Deno.exit();
