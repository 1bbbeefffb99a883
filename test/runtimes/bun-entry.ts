import * as edge from 'e2b-edge';
import * as browser from 'e2b-edge/browser';
import * as errors from 'e2b-edge/errors';
import { suiteHandler } from './suite-handler.js';

/** The part of Bun's own interface that is used here. */
declare const Bun: {
  serve(options: {
    hostname: string;
    port: number;
    idleTimeout: number;
    fetch: (request: Request) => Promise<Response>;
  }): { port: number };
  stdin: { stream(): ReadableStream<Uint8Array> };
};

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  // A case answers when it is over; the test limits how long that takes.
  idleTimeout: 0,
  fetch: suiteHandler('bun', { edge, browser, errors }),
});
console.log(`http://127.0.0.1:${server.port}`);

// Ends with the test that started it, however that ends.
await Bun.stdin.stream().pipeTo(new WritableStream());
process.exit();
