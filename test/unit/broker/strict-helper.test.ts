import type { HandlerContext } from '@connectrpc/connect';
import { Code, ConnectError } from '@connectrpc/connect';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeEnvelope } from '../../../src/wire/envelope.js';
import { Filesystem } from '../../../src/wire/gen/filesystem/filesystem_pb.js';
import {
  type SendSignalRequest,
  Signal,
  type StartRequest,
} from '../../../src/wire/gen/process/process_pb.js';
import type { Session } from '../../../src/wire/session.js';
import { json } from './support/fake-e2b.js';
import { type Harness, refusal, startHarness } from './support/harness.js';
import { answerProcesses, events } from './support/processes.js';

let harness: Harness;
let session: Session;

beforeEach(async () => {
  harness = await startHarness();
  session = await harness.session({
    files: [
      { op: 'read', prefix: '/data' },
      { op: 'write', prefix: '/data/in' },
    ],
    strict: true,
    user: 'worker',
  });
});

afterEach(() => harness.close());

const { listDir, makeDir, move, remove, stat } = Filesystem.method;
const unavailable = { status: 502, code: 'upstream_unavailable' };
const look = () => harness.rpc(session, stat, { path: '/data/x' });
const entry = ['e', 'f', 'f', '644', '7', '1700000000.0000000000', 'ann', 'staff', '', ''].join('\0');

type Told = ReturnType<typeof events.output> | typeof events.keepalive | ReturnType<typeof events.end>;

/** What programs tell, and what they were started with. */
function programs(...told: (Told | object)[]): { started: StartRequest[]; contexts: HandlerContext[] } {
  const started: StartRequest[] = [];
  const contexts: HandlerContext[] = [];
  answerProcesses(harness.fake, {
    async *start(request, context) {
      started.push(request);
      contexts.push(context);
      for (const event of [events.start, ...told]) yield event;
    },
  });
  return { started, contexts };
}

/** The cause that the log has of the last call. */
const lastCause = () => String(harness.events.at(-1)?.cause);

describe('a program of strict mode', () => {
  test('runs as the session’s user from the root, with no input, under a mark of no session', async () => {
    const { started, contexts } = programs(events.output('stdout', entry), events.end());
    expect((await look()).status).toBe(200);
    expect(started).toMatchObject([
      {
        process: { cmd: '/bin/sh', cwd: '/', envs: {} },
        tag: 'e2b-edge:strict',
        stdin: false,
      },
    ]);
    expect(started[0]?.process?.args.slice(0, 1)).toEqual(['-c']);
    expect(started[0]?.process?.args.slice(2)).toEqual(['sh', '/data', 'x', '1', '/data']);
    const headers = contexts[0]?.requestHeader;
    expect(headers?.get('authorization')).toBe(`Basic ${btoa('worker:')}`);
    expect(headers?.get('connect-timeout-ms')).toBe('600000');
  });

  test.each([
    [
      'nothing of it',
      ['/data', '.', '1', '/data'],
      () => harness.rpc(session, listDir, { path: '/data' }),
      '1',
    ],
    [
      'three',
      ['/data', '.', '1', '/data'],
      () => harness.rpc(session, listDir, { path: '/data', depth: 3 }),
      '3',
    ],
  ])('lists as many levels as are asked for: %s', async (_name, place, list, levels) => {
    const { started } = programs(events.end());
    expect((await list()).status).toBe(200);
    expect(started[0]?.process?.args.slice(3)).toEqual([levels, ...place]);
  });

  test('gets the prefixes of what it does', async () => {
    const { started } = programs(events.output('stdout', entry), events.end());
    const within = ['1', '/data/in'];
    const x = { path: '/data/in/x' };
    for (const method of [makeDir, remove]) {
      expect((await harness.rpc(session, method, x)).status).toBe(200);
      expect(started.pop()?.process?.args.slice(3)).toEqual(['/data/in', 'x', ...within]);
    }
    const ends = { source: '/data/in/x', destination: '/data/in/y' };
    expect((await harness.rpc(session, move, ends)).status).toBe(200);
    const places = ['/data/in', 'x', ...within, '/data/in', 'y', ...within];
    expect(started.pop()?.process?.args.slice(3)).toEqual(places);
  });

  test('is heard in as many pieces as it speaks in, whatever else its stream has', async () => {
    const pieces = [entry.slice(0, 5), entry.slice(5)].map((piece) => events.output('stdout', piece));
    programs(events.keepalive, {}, { event: {} }, ...pieces, events.output('stderr', 'hm'), events.end());
    const answer = await look();
    expect(answer.status).toBe(200);
    expect(Buffer.from(await answer.arrayBuffer()).toString('latin1')).toContain('/data/x');
  });

  test('that found the entry gone when it came to tell of it says that it is not there', async () => {
    programs(events.end());
    expect(await refusal(await look())).toEqual({ status: 404, code: 'not_found' });
  });

  test('that ended by its own words is refused in the broker’s, and the log has the beginning of its', async () => {
    const long = `${'é'.repeat(300)}${'x'.repeat(300)}`;
    const bytes = Buffer.from(long);
    // A letter may come in two pieces.
    programs(
      ...[bytes.subarray(0, 1), bytes.subarray(1), 'never heard'].map((piece) =>
        events.output('stderr', piece),
      ),
      events.end(79),
    );
    const answer = await look();
    const text = await answer.clone().text();
    expect(await refusal(answer)).toEqual(unavailable);
    expect(text).not.toContain('xxx');
    expect(lastCause()).toContain(`79: ${'é'.repeat(300)}${'x'.repeat(200)}`);
    expect(lastCause()).not.toContain('x'.repeat(201));
    expect(lastCause()).not.toContain('never heard');
  });

  test('that removes what is not there has done it; what it may not is refused', async () => {
    programs(events.end(71));
    expect((await harness.rpc(session, remove, { path: '/data/in/x' })).status).toBe(200);
    expect(await refusal(await harness.rpc(session, makeDir, { path: '/data/in/x' }))).toEqual({
      status: 404,
      code: 'not_found',
    });
    programs(events.end(70));
    expect(await refusal(await harness.rpc(session, remove, { path: '/data/in/x' }))).toEqual({
      status: 403,
      code: 'permission_denied',
    });
  });

  test('that tells more than the broker holds is ended', async () => {
    let left = false;
    const signals: SendSignalRequest[] = [];
    answerProcesses(harness.fake, {
      sendSignal(request) {
        signals.push(request);
        return {};
      },
      async *start(_, { signal }) {
        signal.addEventListener('abort', () => {
          left = true;
        });
        yield events.start;
        const megabyte = events.output('stdout', new Uint8Array(1024 * 1024));
        for (let sent = 0; sent < 17; sent++) yield megabyte;
        // It would go on.
        if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
      },
    });
    const list = await harness.rpc(session, listDir, { path: '/data' });
    expect(await refusal(list)).toEqual({ status: 400, code: 'out_of_range' });
    await expect.poll(() => left).toBe(true);
    expect(signals).toMatchObject([{ signal: Signal.SIGKILL }]);
  });
});

describe('a program that the broker loses', () => {
  test.each([
    ['never started', [], false],
    ['never told that it had started', [events.output('stdout', entry), events.end()], false],
    ['ended without a word on how', [], true],
  ])('because it %s is a sandbox that failed', async (_name, told, isStarted) => {
    answerProcesses(harness.fake, {
      async *start() {
        for (const event of [...(isStarted ? [events.start] : []), ...told]) yield event;
      },
    });
    expect(await refusal(await look())).toEqual(unavailable);
  });

  test('because envd says so is a sandbox that failed, and the log has why', async () => {
    answerProcesses(harness.fake, {
      async *start() {
        yield events.start;
        throw new ConnectError('out of memory', Code.Internal);
      },
    });
    expect(await refusal(await look())).toEqual(unavailable);
    expect(lastCause()).toContain('out of memory');
  });

  test.each([
    ['between two envelopes', encodeEnvelope(0, new Uint8Array())],
    ['within one', encodeEnvelope(0, new Uint8Array(9)).subarray(0, 7)],
  ])('because its stream ends %s is a sandbox that failed', async (_name, bytes) => {
    harness.fake.onEnvd = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/connect+proto' });
      response.end(bytes);
      return true;
    };
    expect(await refusal(await look())).toEqual(unavailable);
    expect(lastCause()).toContain('broke off');
  });

  test('because its connection breaks is a sandbox that failed', async () => {
    harness.fake.onEnvd = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/connect+proto' });
      response.write(encodeEnvelope(0, new Uint8Array()), () => response.destroy());
      return true;
    };
    expect(await refusal(await look())).toEqual(unavailable);
  });

  test.each([
    [404, { code: 'unimplemented', message: 'no such procedure' }, 404, 'unimplemented'],
    [204, undefined, 502, 'upstream_unavailable'],
  ])('because envd answers %i with %j is refused', async (status, body, expected, code) => {
    harness.fake.onEnvd = (_, response) => {
      if (body) json(response, status, body);
      else response.writeHead(204).end();
      return true;
    };
    expect(await refusal(await look())).toEqual({ status: expected, code });
  });
});
