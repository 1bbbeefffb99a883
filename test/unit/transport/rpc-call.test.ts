import type { ServerResponse } from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Connection } from '../../../src/transport/connection.js';
import { callStream } from '../../../src/transport/rpc-call.js';
import { toBinary } from '../../../src/wire/codec/to-binary.js';
import { encodeEnvelope } from '../../../src/wire/envelope.js';
import { ListResponse, Process, StartResponse } from '../../../src/wire/messages/process.js';
import { connectTo } from '../support/fake-envd.js';
import { answerJson, serve, type TestServer } from '../support/serve.js';

let server: TestServer;
let connection: Connection;
let answer: (response: ServerResponse, headers: NodeJS.Dict<string | string[]>, body: Buffer) => void;

beforeAll(async () => {
  server = await serve(async (request, response) => {
    // Asked after each connection that is lost.
    if (request.url === '/health') return response.writeHead(204).end();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    answer(response, request.headers, Buffer.concat(chunks));
  });
});

beforeEach(() => {
  connection = connectTo(server);
});

afterAll(() => server.close());

const list = () => connection.call({}, 'commands.list', (rpc, signal) => rpc.process.list({}, { signal }));

/** All messages of a stream. */
async function start(options: { timeoutMs?: number } = {}): Promise<StartResponse[]> {
  const stream = await connection.stream({}, 'commands.run', (rpc, signal) =>
    rpc.process.start({ tag: 'x' }, { signal, headers: { 'x-mine': 'yes' }, ...options }),
  );
  const messages = [stream.first];
  for await (const message of stream.rest) messages.push(message);
  return messages;
}

const streamType = { 'content-type': 'application/connect+proto' };
const message = (event: NonNullable<StartResponse['event']>['event']) =>
  toBinary(StartResponse, { event: { event } });
const started = encodeEnvelope(0, message({ case: 'start', value: { pid: 7 } }));
const printed = encodeEnvelope(
  0,
  message({ case: 'data', value: { output: { case: 'stdout', value: new Uint8Array(1000).fill(7) } } }),
);
const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const ended = encodeEnvelope(2, json({ metadata: { 'x-any': ['1'] } }));

/** Each code, and what becomes of it in a call with one answer: the class, the code and the HTTP status. */
const codes: [code: string, status: number, name: string, becomes?: string][] = [
  ['canceled', 499, 'ConnectionError', 'connection_lost'],
  ['unknown', 500, 'SandboxError'],
  ['invalid_argument', 400, 'InvalidArgumentError'],
  ['deadline_exceeded', 504, 'TimeoutError', 'command_timeout'],
  ['not_found', 404, 'NotFoundError'],
  ['already_exists', 409, 'SandboxError'],
  ['permission_denied', 403, 'PermissionDeniedError'],
  ['resource_exhausted', 429, 'RateLimitError', 'rate_limited'],
  ['failed_precondition', 400, 'SandboxError'],
  ['aborted', 409, 'SandboxError'],
  ['out_of_range', 400, 'SandboxError'],
  ['unimplemented', 501, 'SandboxError'],
  ['internal', 500, 'SandboxError'],
  ['unavailable', 503, 'ConnectionError', 'connection_lost'],
  ['data_loss', 500, 'SandboxError'],
  ['unauthenticated', 401, 'AuthenticationError'],
];

describe('a call with one answer', () => {
  test('sends the message as it is, and reads the answer', async () => {
    let headers: NodeJS.Dict<string | string[]> = {};
    answer = (response, sent) => {
      headers = sent;
      response.writeHead(200, { 'content-type': 'application/proto; charset=utf-8' });
      response.end(toBinary(ListResponse, { processes: [{ pid: 7, config: { cmd: 'ls' } }] }));
    };
    const config = { cmd: 'ls', args: [], envs: {} };
    expect(await list()).toEqual({ processes: [{ pid: 7, config }] });
    expect(headers).toMatchObject({ 'content-type': 'application/proto', 'connect-protocol-version': '1' });
    expect(headers['connect-timeout-ms']).toBeUndefined();
  });

  test.each(codes)('that says %s with status %i throws %s', async (code, status, name, becomes = code) => {
    const body = { code, message: 'envd’s words', details: [{ type: 'a.B', value: 'AA' }] };
    answer = (response) => answerJson(response, status, body);
    const error = await list().catch((error: unknown) => error);
    expect(error).toMatchObject({ name, code: becomes, cause: body });
    if (name === 'SandboxError') expect((error as Error).message).toMatch(/^\d+: envd’s words$/);
    if (name !== 'ConnectionError') expect(error).toMatchObject({ statusCode: status });
  });

  test.each([
    ['JSON without a code', 404, 'application/json', '{"message":"gone"}', 'NotFoundError', 'not_found'],
    ['a code that is none', 418, 'application/json', '{"code":"teapot"}', 'SandboxError', 'teapot'],
    ['a page', 404, 'text/html', '<html>', 'NotFoundError', 'not_found'],
    ['nothing', 204, undefined, '', 'SandboxError', 'sandbox_error'],
    ['a page of status 200', 200, 'text/html', '<html>', 'SandboxError', 'protocol_error'],
    ['a message of no type', 200, undefined, '', 'SandboxError', 'protocol_error'],
    ['JSON of status 200', 200, 'application/json', '{}', 'SandboxError', 'protocol_error'],
    ['what is no message', 200, 'application/proto', '\x0a\x7fno', 'SandboxError', 'protocol_error'],
  ])('answered with %s (%i) throws one error', async (_what, status, type, body, name, code) => {
    answer = (response) => response.writeHead(status, type ? { 'content-type': type } : {}).end(body);
    await expect(list()).rejects.toMatchObject({ name, code });
  });

  test('whose answer breaks off is lost', async () => {
    answer = (response) => {
      response.writeHead(200, { 'content-type': 'application/proto', 'content-length': 100 });
      response.write('\x0a', () => response.destroy());
    };
    connection = connectTo(server, 1_000);
    await expect(list()).rejects.toMatchObject({ code: 'connection_lost' });
  });

  test('is refused before it is sent where a value cannot be', async () => {
    answer = () => expect.unreachable();
    const call = connection.call({}, 'kill', (rpc, signal) =>
      rpc.process.connect({ process: { selector: { case: 'pid', value: -1 } } }, { signal }).next(),
    );
    await expect(call).rejects.toMatchObject({ code: 'invalid_argument' });
  });
});

describe('a stream', () => {
  test('sends one envelope and its limit, and gives its messages', async () => {
    let sent: NodeJS.Dict<string | string[]> = {};
    answer = (response, headers, body) => {
      sent = headers;
      expect(body).toEqual(Buffer.from([0, 0, 0, 0, 3, 0x1a, 1, 0x78]));
      response.writeHead(200, streamType).end(Buffer.concat([started, printed, ended]));
    };
    const messages = await start({ timeoutMs: 60_000 });
    expect(messages.map(({ event }) => event?.event.case)).toEqual(['start', 'data']);
    expect(sent).toMatchObject({
      'content-type': 'application/connect+proto',
      'connect-protocol-version': '1',
      'connect-timeout-ms': '60000',
      'x-mine': 'yes',
    });
  });

  test('gives its messages wherever the body is cut', async () => {
    const body = Buffer.concat([started, printed, ended]);
    const cuts = [...Array(started.length + 8).keys(), body.length - ended.length, body.length - 1];
    for (const at of cuts) {
      answer = (response) => {
        response.writeHead(200, streamType);
        response.write(body.subarray(0, at), () => setImmediate(() => response.end(body.subarray(at))));
      };
      expect(await start()).toHaveLength(2);
    }
  });

  test('that breaks off at any byte is lost', async () => {
    const body = Buffer.concat([started, ended]);
    for (let at = 0; at < body.length; at++) {
      answer = (response) => response.writeHead(200, streamType).end(body.subarray(0, at));
      await expect(start()).rejects.toMatchObject({ code: 'connection_lost' });
    }
  });

  test.each(codes)(
    'that ends with %s (%i of one answer) throws %s',
    async (code, _status, name, becomes = code) => {
      const error = { code, message: 'envd’s words' };
      const body = Buffer.concat([started, encodeEnvelope(2, json({ error }))]);
      answer = (response) => response.writeHead(200, streamType).end(body);
      await expect(start()).rejects.toMatchObject({ name, code: becomes, cause: error });
    },
  );

  test.each([
    [
      'a compressed envelope',
      Buffer.concat([started, encodeEnvelope(1, printed.subarray(5)), ended]),
      'protocol_error',
    ],
    ['an end that is not JSON', Buffer.concat([started, encodeEnvelope(2, printed)]), 'protocol_error'],
    ['a message after its end', Buffer.concat([started, ended, printed]), 'protocol_error'],
    [
      'what is no message',
      Buffer.concat([started, encodeEnvelope(0, Uint8Array.of(10, 9))]),
      'protocol_error',
    ],
    ['an error without a code', Buffer.concat([started, encodeEnvelope(2, json({ error: {} }))]), 'unknown'],
    [
      'a length out of reason',
      Buffer.concat([started, Buffer.from([0, 255, 255, 255, 255])]),
      'protocol_error',
    ],
  ])('with %s throws one error', async (_what, body, code) => {
    answer = (response) => response.writeHead(200, streamType).end(body);
    await expect(start()).rejects.toMatchObject({ name: 'SandboxError', code });
  });

  test.each([
    ['a page', 200, 'text/html', 'protocol_error'],
    ['the answer of a call without a stream', 200, 'application/proto', 'protocol_error'],
    ['a refusal that is no stream', 403, 'application/json', 'permission_denied'],
  ])('answered with %s throws one error', async (_what, status, type, code) => {
    answer = (response) => response.writeHead(status, { 'content-type': type }).end('{}');
    await expect(start()).rejects.toMatchObject({ code });
  });

  test('of any bytes gives messages or one error, and never hangs', async () => {
    const pieces = fc.array(
      fc.oneof(
        fc.constantFrom(started, printed, ended),
        fc.uint8Array({ maxLength: 12 }),
        fc
          .tuple(fc.nat(3), fc.uint8Array({ maxLength: 12 }))
          .map(([flags, bytes]) => encodeEnvelope(flags, bytes)),
      ),
      { maxLength: 6 },
    );
    await fc.assert(
      fc.asyncProperty(pieces, async (pieces) => {
        answer = (response) => {
          response.writeHead(200, streamType);
          for (const piece of pieces) response.write(piece);
          response.end();
        };
        await start().catch((error: unknown) => expect(error).toHaveProperty('code'));
      }),
      { numRuns: 200 },
    );
  });

  test('that is left is closed on the server’s side', async () => {
    let closed: () => void = () => undefined;
    const seen = new Promise<void>((resolve) => {
      closed = resolve;
    });
    answer = (response) => {
      response.on('close', closed);
      response.writeHead(200, streamType).write(Buffer.concat([started, printed]));
    };
    await connection.call({}, 'any', async (rpc) => {
      for await (const _message of rpc.process.start({})) break;
    });
    await seen;
  });

  test('that falls silent while it is read is lost', async () => {
    answer = (response) => response.writeHead(200, streamType).write(started);
    const stream = await connection.stream({ maxSilenceMs: 50 }, 'commands.run', (rpc, signal) =>
      rpc.process.start({}, { signal }),
    );
    await expect(stream.rest.next()).rejects.toMatchObject({ code: 'connection_lost' });
  });

  test('says what ended it where the body says only that it was aborted', async () => {
    const fetch = async (_url: string, { signal }: RequestInit) => {
      const body = new ReadableStream({
        start: (controller) =>
          signal?.addEventListener('abort', () => controller.error(new DOMException('no', 'AbortError'))),
      });
      return new Response(body, { headers: streamType });
    };
    const target = { fetch, url: server.url, method: Process.start };
    await expect(callStream(target, {}, { timeoutMs: 20 }).next()).rejects.toMatchObject({
      code: 'command_timeout',
    });
  });

  test('is ended by its limit on this side too', async () => {
    answer = (response) => response.writeHead(200, streamType).write(started);
    await expect(start({ timeoutMs: 50 })).rejects.toMatchObject({
      name: 'TimeoutError',
      code: 'command_timeout',
    });
  });
});

describe('what a broker says', () => {
  test('of a stream whose session was revoked is told in its own code', async () => {
    const end = {
      error: { code: 'unauthenticated', message: 'ended' },
      metadata: { 'e2b-edge-code': ['session_revoked'] },
    };
    answer = (response) =>
      response.writeHead(200, streamType).end(Buffer.concat([started, encodeEnvelope(2, json(end))]));
    await expect(start()).rejects.toMatchObject({
      name: 'AuthenticationError',
      code: 'session_revoked',
      message: 'ended',
    });
  });

  test('of a request that came twice leaves open what became of the first', async () => {
    const names: unknown[] = [];
    answer = (response, headers) => {
      names.push(headers['idempotency-key']);
      answerJson(response, 409, { code: 'duplicate_request', message: 'it came before' });
    };
    const lost = { name: 'ConnectionError', code: 'connection_lost', uncertain: true, retryable: false };
    await expect(start()).rejects.toMatchObject({ ...lost, attempts: 1 });
    const rename = connection.call({}, 'files.rename', (rpc, signal) =>
      rpc.filesystem.move({ source: '/a', destination: '/b' }, { signal }),
    );
    await expect(rename).rejects.toMatchObject({ ...lost, attempts: 1 });
    expect(new Set(names).size).toBe(2);
    expect(names.every((name) => /^[\w-]{1,64}$/.test(String(name)))).toBe(true);
  });

  test('what may be done twice has no name', async () => {
    let name: unknown;
    answer = (response, headers) => {
      name = headers['idempotency-key'];
      response.writeHead(200, { 'content-type': 'application/proto' }).end(toBinary(ListResponse, {}));
    };
    await list();
    expect(name).toBeUndefined();
  });
});
