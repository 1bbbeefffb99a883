import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DescMethodUnary, fromBinary } from '@bufbuild/protobuf';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Filesystem, FileType } from '../../../src/wire/gen/filesystem/filesystem_pb.js';
import type { Session } from '../../../src/wire/session.js';
import { bearer, type Harness, refusal, startHarness } from './support/harness.js';
import { answerProcesses, type RealProcesses, realProcesses } from './support/processes.js';

let harness: Harness;
let session: Session;
let real: RealProcesses;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'e2b-edge-strict-'));
  harness = await startHarness();
  session = await harness.session({
    files: [
      { op: 'read', prefix: directory },
      { op: 'write', prefix: directory },
    ],
    strict: true,
    user: 'worker',
  });
});

beforeEach(() => {
  real = realProcesses();
  answerProcesses(harness.fake, real.processes);
});

afterEach(async () => {
  await expect.poll(() => real.running.size).toBe(0);
});

afterAll(async () => {
  await harness.close();
  rmSync(directory, { recursive: true, force: true });
});

const at = (name: string) => join(directory, name);
const request = (name: string, init: RequestInit) =>
  harness.send(`/envd/${session.sandboxId}/files?${new URLSearchParams({ path: at(name) })}`, {
    ...init,
    headers: { ...bearer(session), ...(init.headers as object) },
  });
const get = (name: string, headers = {}) => request(name, { headers });
const put = (name: string, body: BodyInit, headers = {}) =>
  request(name, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/octet-stream', ...headers },
    ...({ duplex: 'half' } as object),
  });

const modified = new Date('2023-11-14T22:13:20Z');
/** A file of that moment. */
function make(name: string, content: string | Uint8Array = '0123456789'): string {
  writeFileSync(at(name), content);
  utimesSync(at(name), modified, modified);
  return name;
}

describe('a file that is read in strict mode', () => {
  test('comes whole, or in part, with what a client needs to go on later', async () => {
    make('x');
    const whole = await get('x');
    expect([whole.status, whole.headers.get('last-modified'), await whole.text()]).toEqual([
      200,
      modified.toUTCString(),
      '0123456789',
    ]);
    const part = await get('x', { range: 'bytes=08-' });
    expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([
      206,
      'bytes 8-9/10',
      '89',
    ]);
  });

  test('is not sent again to who has it, and what would have read it is ended', async () => {
    make('cached', new Uint8Array(4_000_000));
    const answer = await get('cached', { 'if-modified-since': modified.toUTCString() });
    expect(answer.status).toBe(304);
    await expect.poll(() => real.running.size).toBe(0);
  });

  test('that is not there is told of by envd’s code', async () => {
    expect(await refusal(await get('none'))).toEqual({ status: 404, code: 'file_not_found' });
  });
});

describe('a file that is written in strict mode', () => {
  test('is there whole, and nothing else is', async () => {
    const data = crypto.getRandomValues(new Uint8Array(65_536));
    const answer = await put('new/deep/x.bin', data, { 'content-length': String(data.length) });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(await answer.json()).toEqual([{ path: at('new/deep/x.bin'), name: 'x.bin', type: 'file' }]);
    expect(Buffer.compare(readFileSync(at('new/deep/x.bin')), data)).toBe(0);
    expect(readdirSync(at('new/deep'))).toEqual(['x.bin']);
  });

  test('may be empty', async () => {
    expect((await put('nothing', '')).status).toBe(200);
    expect(
      (await request('no-body', { method: 'POST', headers: { 'content-type': 'application/octet-stream' } }))
        .status,
    ).toBe(200);
    expect([readFileSync(at('nothing'), 'utf8'), readFileSync(at('no-body'), 'utf8')]).toEqual(['', '']);
  });

  test.each([
    ['less', 'half'],
    ['more', '0123456789 and more'],
  ])('that is %s than was announced does not take the place of another', async (_name, body) => {
    make('announced');
    const answer = await put('announced', body, { 'content-length': '10' });
    expect(await refusal(answer)).toEqual({ status: 400, code: 'body_length_differs' });
    expect(readFileSync(at('announced'), 'utf8')).toBe('0123456789');
    expect(readdirSync(directory).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('of which a half is lost leaves the one that was there', async () => {
    make('kept');
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode('half')),
      pull: (controller) => controller.error(new Error('the page went away')),
    });
    expect((await put('kept', body)).ok).toBe(false);
    expect(readFileSync(at('kept'), 'utf8')).toBe('0123456789');
    expect(readdirSync(directory).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});

describe('what strict mode cannot do with a file', () => {
  test.each([
    ['give it metadata', { 'x-metadata-colour': 'red' }],
    ['take it out of a form', { 'content-type': 'multipart/form-data; boundary=application/octet-stream' }],
  ])('%s is said, and nothing is run', async (_name, headers) => {
    expect(await refusal(await put('form', 'x', headers))).toEqual({ status: 501, code: 'unimplemented' });
    expect(readdirSync(directory)).not.toContain('form');
  });
});

describe('a tree in strict mode', () => {
  const { listDir, makeDir, move, remove, stat } = Filesystem.method;
  const call = async <M extends DescMethodUnary>(method: M, message: Record<string, unknown>) => {
    const answer = await harness.rpc(session, method, message);
    return answer.ok ? fromBinary(method.output, await answer.bytes()) : refusal(answer);
  };

  test('is made, told of, moved and removed', async () => {
    expect(await call(makeDir, { path: at('one/two') })).toMatchObject({ entry: { path: at('one/two') } });
    make('one/x');
    const names = [
      ['one/two', FileType.DIRECTORY],
      ['one/x', FileType.FILE],
    ] as const;
    expect(await call(listDir, { path: at('one') })).toMatchObject({
      entries: names.map(([name, type]) => ({ path: at(name), type })),
    });
    const moved = { entry: { path: at('other/y'), name: 'y', size: 10n } };
    expect(await call(move, { source: at('one/x'), destination: at('other/y') })).toMatchObject(moved);
    expect(await call(stat, { path: at('other/y') })).toMatchObject(moved);
    for (let round = 0; round < 2; round++) {
      expect(await call(remove, { path: at('other/y') })).not.toHaveProperty('status');
    }
    expect(readdirSync(at('other'))).toEqual([]);
  });
});
