import { inspect } from 'node:util';
import { Code, ConnectError } from '@connectrpc/connect';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Signal } from '../../../src/wire/gen/process/process_pb.js';
import type { Session } from '../../../src/wire/session.js';
import { signalled } from '../support/fake-envd.js';
import { bearer, type Harness, refusal, startHarness } from './support/harness.js';
import { answerProcesses, events } from './support/processes.js';

let harness: Harness;
let session: Session;

beforeEach(async () => {
  harness = await startHarness();
  session = await harness.session({
    files: [{ op: 'read', prefix: '/data' }],
    strict: true,
    user: 'worker',
  });
});

afterEach(() => harness.close());

const time = 1_700_000_000;
const dateAt = (seconds: number) => new Date(seconds * 1000).toUTCString();
const get = (headers: Record<string, string> = {}, context = {}) =>
  harness.send(
    `/envd/${session.sandboxId}/files?path=/data/x`,
    { headers: { ...bearer(session), ...headers } },
    context,
  );

interface Reader {
  /** What it was asked for: from, to, unless, and the place. */
  args: string[];
  timeoutMs: string | null;
  /** The signals that it was sent. */
  signals: string[];
  /** Whether nobody listens to it any more. */
  isLeft: boolean;
}

/** A program that says this of a file, and stays until nobody listens or it is told to end. */
function reader(...said: (string | Uint8Array)[]): Reader {
  const seen: Reader = { args: [], timeoutMs: null, signals: [], isLeft: false };
  answerProcesses(harness.fake, {
    async *start({ process }, { signal, requestHeader }) {
      seen.args = process?.args.slice(3) ?? [];
      seen.timeoutMs = requestHeader.get('connect-timeout-ms');
      yield events.start;
      for (const piece of said) yield events.output('stdout', piece);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      seen.isLeft = true;
    },
    sendSignal({ process, signal }) {
      seen.signals.push(`${signal} ${process?.selector.value}`);
      return {};
    },
  });
  return seen;
}

const kill = `${Signal.SIGKILL} 7`;
const whole = [`10 ${time} 0 10\n`, '0123456789'];
const part = [`100 ${time} 20 3\n`, '234'];

describe('a part of a file in strict mode', () => {
  test.each([
    ['bytes=2-4', ['2', '4', '']],
    ['bytes=4-4', ['4', '4', '']],
    ['bytes=2-', ['2', '', '']],
    ['bytes=-3', ['', '3', '']],
    ['  bytes=2-4 ', ['2', '4', '']],
    ['bytes=10-9', ['', '', '']],
    ['bytes=9-10', ['9', '10', '']],
    // A shell would take it for an octal number.
    ['bytes=08-09', ['8', '9', '']],
    ['bytes=0-000', ['0', '0', '']],
    ['bytes=000000000000002-000000000000004', ['2', '4', '']],
    ['bytes=0000000000000002-4', ['', '', '']],
    ['bytes=2-0000000000000004', ['', '', '']],
    ['bytes=-', ['', '', '']],
    ['bytes=0-1,3-4', ['', '', '']],
    ['x bytes=1-2', ['', '', '']],
    ['bytes=1-2x', ['', '', '']],
    ['bytes=$(id)-', ['', '', '']],
    ['lines=1-2', ['', '', '']],
  ])('by "%s" is asked of a program as %j', async (range, expected) => {
    const isPart = expected.some((word) => word !== '');
    const seen = reader(...(isPart ? part : whole));
    const answer = await get({ range });
    expect(seen.args).toEqual([...expected, '/data', 'x', '1', '/data']);
    expect([answer.status, answer.headers.get('content-range')]).toEqual(
      isPart ? [206, 'bytes 20-22/100'] : [200, null],
    );
    expect(await answer.text()).toBe(isPart ? '234' : '0123456789');
  });

  test('comes only of the file that the page has a part of', async () => {
    const range = 'bytes=2-4';
    const same = reader(...part);
    const answer = await get({ range, 'if-range': dateAt(time) });
    expect([answer.status, answer.headers.get('content-range')]).toEqual([206, 'bytes 20-22/100']);
    expect(same.args.slice(0, 3)).toEqual(['2', '4', String(time)]);
    const other = reader(...whole);
    const changed = await get({ range, 'if-range': dateAt(time - 1) });
    expect([changed.status, changed.headers.get('content-range')]).toEqual([200, null]);
    expect(other.args.slice(0, 3)).toEqual(['2', '4', String(time - 1)]);
    // No file has a tag here, so this can be none of it.
    const tagged = reader(...whole);
    expect((await get({ range, 'if-range': '"tag"' })).status).toBe(200);
    expect(tagged.args.slice(0, 3)).toEqual(['', '', '']);
    const unasked = reader(...whole);
    expect((await get({ 'if-range': dateAt(time) })).status).toBe(200);
    expect(unasked.args.slice(0, 3)).toEqual(['', '', '']);
  });
});

describe('a file in strict mode', () => {
  test('is told of with what a client goes on by, and its program may read as long as a session lasts', async () => {
    const seen = reader(...whole);
    const answer = await get();
    expect(seen.timeoutMs).toBe(String(8 * 3_600_000));
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'accept-ranges': 'bytes',
      'content-length': '10',
      'content-type': 'application/octet-stream',
      'last-modified': dateAt(time),
    });
    expect(answer.headers.has('content-range')).toBe(false);
    expect(await answer.text()).toBe('0123456789');
  });

  test.each([
    ['in one piece with the line', [`10 ${time} 0 10\n0123456789`]],
    ['in many pieces, the line too', [`10 ${time}`, ' 0 10', '\n01', '', '234', '56789']],
    ['with more than was said', [`10 ${time} 0 10\n01234`, '56789 and more']],
  ])('may come %s', async (_name, said) => {
    const seen = reader(...said);
    expect(await (await get()).text()).toBe('0123456789');
    // All that was said is there: it is not waited for, and not killed either.
    await expect.poll(() => seen.isLeft).toBe(true);
    expect(seen.signals).toEqual([]);
  });

  test('may be empty: nobody waits for a byte of it', async () => {
    const seen = reader(`0 ${time} 0 0\n`);
    const answer = await get();
    expect([answer.status, answer.headers.get('content-length'), await answer.text()]).toEqual([
      200,
      '0',
      '',
    ]);
    await expect.poll(() => seen.isLeft).toBe(true);
    expect(seen.signals).toEqual([]);
  });

  test.each([
    ['since it was changed', { 'if-modified-since': dateAt(time) }],
    ['since later', { 'if-modified-since': dateAt(time + 1) }],
  ])('that the page has %s is not sent, and its program is ended', async (_name, headers) => {
    const seen = reader(...whole);
    const waited: Promise<unknown>[] = [];
    const answer = await get(headers, { ctx: { waitUntil: (work: Promise<unknown>) => waited.push(work) } });
    expect([answer.status, answer.headers.get('last-modified'), await answer.text()]).toEqual([
      304,
      dateAt(time),
      '',
    ]);
    await Promise.all(waited);
    expect(seen.signals).toEqual([kill]);
    await expect.poll(() => seen.isLeft).toBe(true);
  });

  test.each([
    ['is older', { 'if-modified-since': dateAt(time - 1) }],
    ['is of no day', { 'if-modified-since': 'some day' }],
    ['may be another, by a tag', { 'if-modified-since': dateAt(time), 'if-none-match': '"tag"' }],
  ])('comes where what the page has %s', async (_name, headers) => {
    reader(...whole);
    expect(await (await get(headers)).text()).toBe('0123456789');
  });

  test('that the page does not want any more has its program ended', async () => {
    const seen = reader(`10 ${time} 0 10\n`, '01234');
    const answer = await get();
    const pieces = (answer.body as ReadableStream<Uint8Array>).getReader();
    await pieces.read();
    await pieces.cancel();
    await expect.poll(() => seen.signals).toEqual([kill]);
  });

  test('whose program cannot be ended any more is let be', async () => {
    const seen = reader(...whole);
    const answer = harness.fake.onRaw;
    harness.fake.onRaw = (request, response) => {
      if (!request.url?.endsWith('/SendSignal')) return answer?.(request, response) ?? false;
      response.destroy();
      return true;
    };
    const waited: Promise<unknown>[] = [];
    const ctx = { waitUntil: (work: Promise<unknown>) => waited.push(work) };
    expect((await get({ 'if-modified-since': dateAt(time) }, { ctx })).status).toBe(304);
    expect(await Promise.all(waited)).toEqual([undefined]);
    await expect.poll(() => seen.isLeft).toBe(true);
  });

  test('that became shorter breaks off', async () => {
    const begun = signalled();
    answerProcesses(harness.fake, {
      async *start() {
        yield events.start;
        yield events.output('stdout', `10 ${time} 0 10\n01234`);
        await begun.promise;
        yield events.end();
      },
    });
    const pieces = (await get()).body?.getReader();
    await pieces?.read();
    begun.resolve();
    await expect(pieces?.read()).rejects.toThrow();
    expect(inspect(harness.events.at(-1)?.cause)).toContain('5 bytes of a file are missing');
  });

  test('that breaks off at envd’s end has its program ended', async () => {
    const signals: number[] = [];
    const begun = signalled();
    answerProcesses(harness.fake, {
      async *start() {
        yield events.start;
        yield events.output('stdout', `10 ${time} 0 10\n01234`);
        await begun.promise;
        throw new ConnectError('no more memory', Code.ResourceExhausted);
      },
      sendSignal({ signal }) {
        signals.push(signal);
        return {};
      },
    });
    const pieces = (await get()).body?.getReader();
    await pieces?.read();
    begun.resolve();
    await expect(pieces?.read()).rejects.toThrow();
    await expect.poll(() => signals).toEqual([Signal.SIGKILL]);
  });

  test.each([70, 71, 72, 73, 74, 78])('is refused by how its program ends: %i', async (exitCode) => {
    answerProcesses(harness.fake, {
      async *start() {
        yield events.start;
        yield events.end(exitCode);
      },
    });
    const { status } = await refusal(await get());
    expect([400, 403, 404, 416]).toContain(status);
  });
});
