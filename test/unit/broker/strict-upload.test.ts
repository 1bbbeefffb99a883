import { Code, ConnectError } from '@connectrpc/connect';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeEnvelope } from '../../../src/wire/envelope.js';
import { Signal, type StreamInputRequest } from '../../../src/wire/gen/process/process_pb.js';
import type { Session } from '../../../src/wire/session.js';
import { signalled } from '../support/fake-envd.js';
import { bearer, type Harness, refusal, startHarness } from './support/harness.js';
import { answerProcesses, events, type Processes } from './support/processes.js';

let harness: Harness;
let session: Session;

beforeEach(async () => {
  harness = await startHarness();
  session = await harness.session({
    files: [{ op: 'write', prefix: '/data' }],
    strict: true,
    user: 'worker',
  });
});

afterEach(() => harness.close());

const unavailable = { status: 502, code: 'upstream_unavailable' };
const put = (body: BodyInit, init: RequestInit = {}, context = {}) =>
  harness.send(
    `/envd/${session.sandboxId}/files?path=/data/x`,
    {
      method: 'POST',
      body,
      headers: { ...bearer(session), 'content-type': 'application/octet-stream' },
      ...({ duplex: 'half' } as object),
      ...init,
    },
    context,
  );

interface Writer {
  /** What was asked, in the order of it. */
  calls: string[];
  /** The program's arguments. */
  args: string[];
  hasInput: boolean | undefined;
  /** What came in, as it was cut. */
  pieces: Uint8Array[];
  /** Ends the program. */
  end(exitCode: number): void;
}

/** A program that writes what comes in until its input or it is ended. */
function writer(more: Processes = {}, ready = 'ready'): Writer {
  let end: (exitCode: number) => void = () => undefined;
  const ended = new Promise<number>((resolve) => {
    end = resolve;
  });
  const seen: Writer = { calls: [], args: [], hasInput: undefined, pieces: [], end };
  answerProcesses(harness.fake, {
    async *start({ process, stdin }) {
      seen.args = process?.args.slice(3) ?? [];
      seen.hasInput = stdin;
      yield events.start;
      if (ready) yield events.output('stdout', ready);
      yield events.end(await ended);
    },
    async streamInput(messages) {
      for await (const message of messages) {
        seen.pieces.push(...pieceOf(message));
        const { event } = message;
        if (event.case === 'start') seen.calls.push(`input ${event.value.process?.selector.value}`);
      }
      return {};
    },
    closeStdin({ process }) {
      seen.calls.push(`close ${process?.selector.value}`);
      end(0);
      return {};
    },
    sendSignal({ process, signal }) {
      seen.calls.push(`${signal === Signal.SIGTERM ? 'SIGTERM' : signal} ${process?.selector.value}`);
      return {};
    },
    ...more,
  });
  return seen;
}

function pieceOf({ event }: StreamInputRequest): Uint8Array[] {
  if (event.case !== 'data' || event.value.input?.input.case !== 'stdin') return [];
  return [event.value.input.input.value];
}

/** A body that never ends of itself. */
function endless(onCancel: () => void = () => undefined): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      controller.enqueue(new Uint8Array(1024));
      await new Promise((resolve) => setTimeout(resolve, 1));
    },
    cancel: onCancel,
  });
}

describe('an upload in strict mode', () => {
  test('is given to the program that said that it may come, and then its input is ended', async () => {
    const seen = writer();
    const answer = await put('content');
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(await answer.json()).toEqual([{ path: '/data/x', name: 'x', type: 'file' }]);
    expect(Buffer.concat(seen.pieces).toString()).toBe('content');
    expect(seen.calls).toEqual(['input 7', 'close 7']);
    expect(seen.hasInput).toBe(true);
    const [size, temporary, ...place] = seen.args;
    expect(size).toBe('');
    expect(temporary).toMatch(/^[0-9a-f-]{36}$/);
    expect(place).toEqual(['/data', 'x', '1', '/data']);
  });

  test('goes in pieces that servers take as one message', async () => {
    const seen = writer();
    const data = crypto.getRandomValues(new Uint8Array(65_536));
    const body = new Uint8Array(2.5 * 1024 * 1024).map((_, index) => data[index % data.length] as number);
    expect((await put(body)).status).toBe(200);
    expect(Buffer.compare(Buffer.concat(seen.pieces), body)).toBe(0);
    expect(Math.max(...seen.pieces.map(({ length }) => length))).toBeLessThanOrEqual(1024 * 1024);
  });

  test.each([
    ['7', '7'],
    ['123456789012345', '123456789012345'],
    ['1234567890123456', ''],
    ['4x', ''],
    ['x4', ''],
    ['', ''],
  ])('of %j bytes is announced to the program as %j', async (length, expected) => {
    const seen = writer();
    const headers = {
      ...bearer(session),
      'content-type': 'application/octet-stream',
      'content-length': length,
    };
    expect((await put('content', { headers })).status).toBe(200);
    expect(seen.args[0]).toBe(expected);
  });

  test('of nothing is an empty file', async () => {
    const seen = writer();
    expect((await put('', { body: null })).status).toBe(200);
    expect(seen.calls).toEqual(['close 7']);
  });

  test('has nothing sent for an empty piece, which is not its end', async () => {
    const seen = writer();
    const pieces = ['one', '', 'two'].map((piece) => new TextEncoder().encode(piece));
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        const piece = pieces.shift();
        if (piece) controller.enqueue(piece);
        else controller.close();
      },
    });
    expect((await put(body)).status).toBe(200);
    expect(seen.pieces.map((piece) => Buffer.from(piece).toString())).toEqual(['one', 'two']);
  });

  test('that the program refuses beforehand is not begun', async () => {
    const seen = writer({}, '');
    seen.end(71);
    expect(await refusal(await put(endless()))).toEqual({ status: 404, code: 'file_not_found' });
    expect(seen.calls).toEqual([]);
  });

  test('that fills the disk ends with the program, and no more of it is taken', async () => {
    const seen = writer({
      async streamInput(messages) {
        for await (const _ of messages) seen.end(77);
        return {};
      },
      closeStdin() {
        throw new ConnectError('process not found', Code.NotFound);
      },
    });
    let isLeft = false;
    const body = endless(() => {
      isLeft = true;
    });
    expect(await refusal(await put(body))).toEqual({ status: 507, code: 'not_enough_space' });
    await expect.poll(() => isLeft, { timeout: 10_000 }).toBe(true);
  });

  test('of which the program fails after the last byte is refused', async () => {
    const seen = writer({
      closeStdin() {
        seen.end(77);
        return {};
      },
    });
    expect(await refusal(await put('content'))).toEqual({ status: 507, code: 'not_enough_space' });
  });
});

describe('an upload in strict mode that envd does not take', () => {
  const full = () => {
    throw new ConnectError('no more memory', Code.ResourceExhausted);
  };

  test('is taken back: the end of the input is not the end of the file', async () => {
    const seen = writer({ streamInput: full });
    const waited: Promise<unknown>[] = [];
    const ctx = { waitUntil: (work: Promise<unknown>) => waited.push(work) };
    expect(await refusal(await put('content', {}, { ctx }))).toEqual(unavailable);
    expect(seen.calls).toEqual(['SIGTERM 7', 'close 7']);
    expect(String(harness.events.at(-1)?.cause)).toContain('no more memory');
    // Where the page's going would end the Worker, it is finished.
    await Promise.all(waited);
    expect(waited.length).toBeGreaterThan(0);
  });

  test.each([
    ['is full, says so', 77, { status: 507, code: 'not_enough_space' }],
    ['fails for nothing that the page could know, says no more', 79, unavailable],
    ['ends as if all were there, is not there all the same', 0, unavailable],
    ['is killed, says no more', -1, unavailable],
  ])('and of which the program %s', async (_name, exitCode, expected) => {
    const seen = writer({
      streamInput: full,
      closeStdin() {
        seen.end(exitCode);
        return {};
      },
    });
    expect(await refusal(await put('content'))).toEqual(expected);
    if (expected === unavailable) expect(String(harness.events.at(-1)?.cause)).toContain('no more memory');
  });

  test('and of which the program is lost as well, is refused as what was first', async () => {
    const lost = signalled();
    writer({
      async *start() {
        yield events.start;
        yield events.output('stdout', 'ready');
        await lost.promise;
        throw new ConnectError('restarted', Code.Unavailable);
      },
      streamInput: full,
      closeStdin() {
        lost.resolve();
        return {};
      },
    });
    expect(await refusal(await put('content'))).toEqual(unavailable);
    expect(String(harness.events.at(-1)?.cause)).toContain('no more memory');
  });

  test.each([
    ['refuses', 404, 'application/json', '{"code":"unimplemented","message":"no"}', 404, 'unimplemented'],
    [
      'does not say that it has it',
      200,
      'application/connect+proto',
      encodeEnvelope(0, new Uint8Array()),
      502,
      'upstream_unavailable',
    ],
    ['says nothing of', 200, 'application/connect+proto', '', 502, 'upstream_unavailable'],
  ])('as it %s it is not taken for written', async (_name, status, type, body, expected, code) => {
    const seen = writer();
    const answer = harness.fake.onRaw;
    harness.fake.onRaw = (request, response) => {
      if (!request.url?.endsWith('/StreamInput')) return answer?.(request, response) ?? false;
      request.resume().on('end', () => response.writeHead(status, { 'content-type': type }).end(body));
      return true;
    };
    expect(await refusal(await put('content'))).toEqual({ status: expected, code });
    expect(seen.calls).toEqual(['SIGTERM 7', 'close 7']);
  });
});

describe('an upload in strict mode of which the page goes', () => {
  test('is taken back', async () => {
    const controller = new AbortController();
    const seen = writer({
      async streamInput(messages) {
        for await (const _ of messages) controller.abort();
        return {};
      },
    });
    const answer = put(endless(), { signal: controller.signal }).catch(() => undefined);
    await answer;
    await expect.poll(() => seen.calls).toEqual(['SIGTERM 7', 'close 7']);
  });
});
