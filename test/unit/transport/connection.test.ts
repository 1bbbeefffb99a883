import { afterEach, describe, expect, test, vi } from 'vitest';
import { Connection } from '../../../src/transport/connection.js';
import { type Credential, fixedCredential } from '../../../src/transport/credential.js';
import { answerJson, serve, type TestServer } from '../support/serve.js';

let server: TestServer | undefined;

afterEach(async () => {
  vi.restoreAllMocks();
  await server?.close();
  server = undefined;
});

function connect(credential: Credential = fixedCredential({})): Connection {
  return new Connection({
    sandboxId: 'i1',
    envdVersion: '0.6.13',
    baseUrl: server?.url ?? '',
    credential,
    streamingUploads: true,
  });
}

const list = (connection: Connection, requestTimeoutMs = 5_000) =>
  connection.call({ requestTimeoutMs }, 'list', (rpc, signal) => rpc.process.list({}, { signal }));

const start = (connection: Connection, requestTimeoutMs = 5_000) =>
  connection.stream({ requestTimeoutMs }, 'start', (rpc, signal) => rpc.process.start({}, { signal }));

/** One message of a stream, or its end. */
function envelope(bytes: Uint8Array, flags = 0): Uint8Array {
  const out = new Uint8Array(5 + bytes.length);
  out[0] = flags;
  new DataView(out.buffer).setUint32(1, bytes.length);
  out.set(bytes, 5);
  return out;
}

/** `StartResponse { event { start { pid: 7 } } }` and `… { keepalive {} }`. */
const started = envelope(Uint8Array.of(0x0a, 0x04, 0x0a, 0x02, 0x08, 0x07));
const streamType = { 'content-type': 'application/connect+proto' };

describe('a connection', () => {
  test('renews a refused credential once and sends the call again', async () => {
    const seen: unknown[] = [];
    server = await serve((request, response) => {
      seen.push(request.headers['x-token']);
      if (request.headers['x-token'] === 'old')
        return answerJson(response, 401, { code: 401, message: 'no' });
      response.writeHead(200, { 'content-type': 'application/proto' }).end();
    });
    let token = 'old';
    const credential: Credential = {
      headers: async () => ({ 'x-token': token }),
      renew: async () => {
        token = 'new';
      },
    };
    await expect(list(connect(credential))).resolves.toMatchObject({ processes: [] });
    expect(seen).toEqual(['old', 'new']);
  });

  test('does not follow a redirect with its credential', async () => {
    const paths: unknown[] = [];
    server = await serve((request, response) => {
      paths.push(request.url);
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    await expect(list(connect())).rejects.toMatchObject({
      name: 'ConnectionError',
      code: 'unexpected_redirect',
    });
    expect(paths).toEqual(['/process.Process/List']);
  });

  test('limits the wait for the first message of a stream, and not for the next', async () => {
    server = await serve((_request, response) => {
      response.writeHead(200, streamType);
      response.write(started);
      setTimeout(() => response.end(envelope(new TextEncoder().encode('{}'), 2)), 400);
    });
    const stream = await start(connect(), 200);
    expect(stream.first.event?.event.case).toBe('start');
    const rest = [];
    for await (const message of stream.rest) rest.push(message);
    expect(rest).toEqual([]);
  });

  test('ends the wait for a first message that does not come', async () => {
    server = await serve((_request, response) => response.writeHead(200, streamType).flushHeaders());
    await expect(start(connect(), 100)).rejects.toMatchObject({
      name: 'TimeoutError',
      code: 'request_timeout',
    });
  });

  test('cancels a stream whose loop is left, on the side of the server', async () => {
    let closed: () => void = () => undefined;
    const serverSawClose = new Promise<void>((resolve) => {
      closed = resolve;
    });
    server = await serve((_request, response) => {
      response.writeHead(200, streamType);
      response.on('close', closed);
      response.write(started);
      response.write(started);
    });
    const stream = await start(connect());
    for await (const _message of stream.rest) break;
    await serverSawClose;
  });

  test('leaves no timer behind when a stream with a time limit is cancelled', async () => {
    server = await serve((_request, response) => {
      response.writeHead(200, streamType);
      response.write(started);
      response.write(started);
    });
    const set = vi.spyOn(globalThis, 'setTimeout');
    const clear = vi.spyOn(globalThis, 'clearTimeout');
    const stream = () =>
      connect().stream({ requestTimeoutMs: 0 }, 'start', (rpc, signal) =>
        rpc.process.start({}, { signal, timeoutMs: 600_000 }),
      );
    for await (const _message of (await stream()).rest) break;
    (await stream()).cancel();
    const timers = set.mock.results.filter((_, index) => set.mock.calls[index]?.[1] === 600_000);
    expect(timers).toHaveLength(2);
    await vi.waitFor(() => {
      for (const { value } of timers) expect(clear).toHaveBeenCalledWith(value);
    });
  });

  test('tells a stream that broke off from one that ended, and from a sandbox that did', async () => {
    let health = 204;
    server = await serve((request, response) => {
      if (request.url === '/health') return response.writeHead(health).end();
      response.writeHead(200, streamType);
      response.write(started, () => response.destroy());
    });
    const read = async () => {
      for await (const _message of (await start(connect())).rest);
    };
    await expect(read()).rejects.toMatchObject({ name: 'ConnectionError', code: 'connection_lost' });
    health = 502;
    await expect(read()).rejects.toMatchObject({ name: 'TimeoutError', code: 'sandbox_ended' });
  });

  test('takes a stream that ends without saying so for one that broke off', async () => {
    server = await serve((request, response) => {
      if (request.url === '/health') return response.writeHead(204).end();
      response.writeHead(200, streamType).end(started);
    });
    const read = async () => {
      for await (const _message of (await start(connect())).rest);
    };
    await expect(read()).rejects.toMatchObject({ code: 'connection_lost' });
  });

  test('rejects with the reason of the caller’s signal', async () => {
    server = await serve(() => undefined);
    const reason = new Error('enough');
    const controller = new AbortController();
    const call = connect().call({ signal: controller.signal }, 'list', (rpc, signal) =>
      rpc.process.list({}, { signal }),
    );
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
    await expect(
      connect().call({ signal: controller.signal }, 'list', async () => expect.unreachable()),
    ).rejects.toBe(reason);
  });

  // The question itself may take 5 s: who waits for its end comes too late.
  test('drops the question whether the sandbox is there when the call ends', { timeout: 4_000 }, async () => {
    const controller = new AbortController();
    server = await serve((request, response) => {
      if (request.url !== '/health') response.destroy();
      else controller.abort('enough');
    });
    const { signal } = controller;
    const aborted = connect().call({ signal }, 'list', (rpc, own) => rpc.process.list({}, { signal: own }));
    await expect(aborted).rejects.toBe('enough');
    await expect(list(connect(), 100)).rejects.toMatchObject({ code: 'request_timeout' });
  });

  test('drops it for a stream that broke off as well', { timeout: 4_000 }, async () => {
    const controller = new AbortController();
    server = await serve((request, response) => {
      if (request.url === '/health') return controller.abort('enough');
      response.writeHead(200, streamType);
      response.write(started, () => response.destroy());
    });
    const { rest } = await connect().stream({ signal: controller.signal }, 'start', (rpc, signal) =>
      rpc.process.start({}, { signal }),
    );
    await expect(rest.next()).rejects.toBe('enough');
  });

  test('leaves what a program throws in a credential as it is', async () => {
    server = await serve((_request, response) => response.writeHead(204).end());
    const mine = new RangeError('not signed in');
    const connection = connect({ headers: () => Promise.reject(mine) });
    await expect(list(connection)).rejects.toBe(mine);
    await expect(start(connection)).rejects.toBe(mine);
  });

  test('names the address that nothing answers at', async () => {
    server = await serve(() => undefined);
    const { url } = server;
    await server.close();
    await expect(list(connect())).rejects.toMatchObject({
      name: 'ConnectionError',
      code: 'connection_failed',
      message: expect.stringContaining(url),
    });
  });
});
