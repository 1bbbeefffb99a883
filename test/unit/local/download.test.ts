import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { constants } from 'node:http2';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inlineDisposition } from '../../../src/local/envd/files/inline-disposition.js';
import { sniffedType } from '../../../src/local/envd/files/sniffed-type.js';
import { type Envd, startEnvd } from './support/envd.js';
import { ask, type Http2Answer } from './support/http2.js';
import { until } from './support/until.js';

let envd: Envd;
const modified = 'Sun, 09 Sep 2001 01:46:40 GMT';
const earlier = 'Sun, 09 Sep 2001 01:46:39 GMT';

const put = (name: string, content: string | Buffer): void =>
  writeFileSync(join(envd.root, 'home/user', name), content);
const get = (path: string, headers: Record<string, string> = {}): Promise<Http2Answer> =>
  ask(envd.session, 'GET', `/files?path=${encodeURIComponent(path)}`, undefined, headers);

beforeAll(async () => {
  envd = await startEnvd();
  put('digits', '0123456789');
  // With a fraction of a second, which no header has.
  utimesSync(join(envd.root, 'home/user/digits'), 1_000_000_000.7, 1_000_000_000.7);
  put('empty', '');
});
afterAll(() => envd.close());

describe('Range', () => {
  test.each([
    ['bytes=0-3', 206, '0123', 'bytes 0-3/10'],
    ['bytes=8-', 206, '89', 'bytes 8-9/10'],
    ['bytes=-3', 206, '789', 'bytes 7-9/10'],
    ['bytes=-100', 206, '0123456789', 'bytes 0-9/10'],
    ['bytes=5-100', 206, '56789', 'bytes 5-9/10'],
    ['bytes=5-18446744073709551', 206, '56789', 'bytes 5-9/10'],
    ['bytes= 1 - 2 ,', 206, '12', 'bytes 1-2/10'],
    ['bytes=0-1,20-30', 206, '01', 'bytes 0-1/10'],
    // More than the whole.
    ['bytes=0-5,3-9', 200, '0123456789', undefined],
    ['bytes=', 200, '0123456789', undefined],
    ['bytes=10-', 416, 'invalid range: failed to overlap\n', 'bytes */10'],
    ['bytes=20-30,40-', 416, 'invalid range: failed to overlap\n', 'bytes */10'],
    ['lines=1-2', 416, 'invalid range\n', undefined],
    ['bytes=3-1', 416, 'invalid range\n', undefined],
    ['bytes=-', 416, 'invalid range\n', undefined],
    ['bytes=a-b', 416, 'invalid range\n', undefined],
    ['bytes=--1', 416, 'invalid range\n', undefined],
  ])('%s', async (range, status, body, contentRange) => {
    const answer = await get('digits', { range });
    expect([answer.status, answer.body.toString(), answer.headers['content-range']]).toEqual([
      status,
      body,
      contentRange,
    ]);
  });

  test('several come as one body of parts', async () => {
    const { status, headers, body } = await get('digits', { range: 'bytes=0-1,4-5,-1' });
    expect(status).toBe(206);
    const boundary = /^multipart\/byteranges; boundary=(\w+)$/.exec(headers['content-type']!)?.[1];
    const part = (range: string, content: string) =>
      `--${boundary}\r\nContent-Range: bytes ${range}/10\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${content}\r\n`;
    expect(body.toString()).toBe(
      `${part('0-1', '01')}${part('4-5', '45')}${part('9-9', '9')}--${boundary}--\r\n`,
    );
    expect(Number(headers['content-length'])).toBe(body.length);
  });

  test.each(['bytes=0-', 'bytes=5-6', 'bytes=-3'])('%s of an empty file is all of it', async (range) => {
    const { status, body } = await get('empty', { range });
    expect([status, body.length]).toEqual([200, 0]);
  });
});

describe('a condition', () => {
  test.each([
    [{ 'if-modified-since': modified }, 304],
    [{ 'if-modified-since': earlier }, 200],
    [{ 'if-modified-since': 'Sunday, 09-Sep-01 01:46:40 GMT' }, 304],
    [{ 'if-modified-since': 'Sun Sep  9 01:46:40 2001' }, 304],
    [{ 'if-modified-since': '2030' }, 200],
    [{ 'if-none-match': '*' }, 304],
    [{ 'if-none-match': 'W/"a", *' }, 304],
    [{ 'if-none-match': '"a"', 'if-modified-since': modified }, 200],
    [{ 'if-match': '"a"' }, 412],
    [{ 'if-match': '*', 'if-unmodified-since': earlier }, 200],
    [{ 'if-unmodified-since': earlier }, 412],
    [{ 'if-unmodified-since': modified }, 200],
    [{ range: 'bytes=0-1', 'if-range': modified }, 206],
    [{ range: 'bytes=0-1', 'if-range': earlier }, 200],
    [{ range: 'bytes=0-1', 'if-range': '"a"' }, 200],
  ])('%j is %i', async (headers, status) => {
    const answer = await get('digits', headers as Record<string, string>);
    expect(answer.status).toBe(status);
    expect(answer.headers['last-modified']).toBe(modified);
    if (status >= 300) expect(answer.body.length).toBe(0);
  });

  test('of a file without a date is none', async () => {
    put('undated', 'x');
    utimesSync(join(envd.root, 'home/user/undated'), 0, 0);
    const { status, headers } = await get('undated', { 'if-modified-since': modified });
    expect([status, headers['last-modified']]).toEqual([200, undefined]);
  });
});

test('the media type is by the name, else by the content', async () => {
  put('page.HTML', 'no tags');
  put('page', ' \n<!doctype html>');
  put('.css', '');
  const typeOf = async (path: string) => (await get(path)).headers['content-type'];
  expect(await typeOf('page.HTML')).toBe('text/html; charset=utf-8');
  expect(await typeOf('page')).toBe('text/html; charset=utf-8');
  expect(await typeOf('.css')).toBe('text/css; charset=utf-8');
  expect(await typeOf('empty')).toBe('text/plain; charset=utf-8');
});

test.each([
  ['<?xml version', 'text/xml; charset=utf-8'],
  ['<p>', 'text/html; charset=utf-8'],
  ['<pre>', 'text/plain; charset=utf-8'],
  ['%PDF-1.7', 'application/pdf'],
  ['\x89PNG\r\n\x1a\n', 'image/png'],
  ['\xff\xd8\xff\xe0', 'image/jpeg'],
  ['GIF89a', 'image/gif'],
  ['RIFF\x10\0\0\0WEBPVP8 ', 'image/webp'],
  ['RIFF\x10\0\0\0WAVEfmt ', 'audio/wave'],
  ['\0\0\0\x14ftypisom\0\0\0\0mp42', 'video/mp4'],
  ['\0\0\0\x18ftypisom\0\0\0\0', 'application/octet-stream'],
  ['\x1f\x8b\x08\0', 'application/x-gzip'],
  ['PK\x03\x04', 'application/zip'],
  ['\0asm\x01', 'application/wasm'],
  ['\x7fELF\x02\x01\x01\0', 'application/octet-stream'],
  ['\xef\xbb\xbftext', 'text/plain; charset=utf-8'],
  ['\xfe\xff\0a', 'text/plain; charset=utf-16be'],
  ['text with \x1b[1mcolours\x1b[0m', 'text/plain; charset=utf-8'],
])('%j looks like %s', (bytes, type) => expect(sniffedType(Buffer.from(bytes, 'latin1'))).toBe(type));

test.each([
  ['plain.txt', 'inline; filename=plain.txt'],
  ['two words', 'inline; filename="two words"'],
  ['q"uo\\te', 'inline; filename="q\\"uo\\\\te"'],
  ["it's(1)", 'inline; filename="it\'s(1)"'],
  ['ünï (1).txt', "inline; filename*=utf-8''%C3%BCn%C3%AF%20%281%29.txt"],
  ['line\nbreak', "inline; filename*=utf-8''line%0Abreak"],
])('a file named %j is told as %s', (name, header) => expect(inlineDisposition(name)).toBe(header));

test('a file that shrinks while it is sent does not look whole', async () => {
  put('shrinks', Buffer.alloc(64 << 20));
  const stream = envd.session.request({ ':path': '/files?path=shrinks' });
  const ended = new Promise<number>((resolve) => {
    stream.once('close', () => resolve(stream.rstCode));
  });
  stream.on('error', () => {});
  await new Promise((resolve) => stream.once('response', resolve));
  truncateSync(join(envd.root, 'home/user/shrinks'), 10);
  let received = 0;
  stream.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  expect(await ended).not.toBe(constants.NGHTTP2_NO_ERROR);
  expect(received).toBeLessThan(64 << 20);
});

test('a client that goes away frees the file', async () => {
  put('abandoned', Buffer.alloc(64 << 20));
  for (const encoding of ['identity', 'gzip']) {
    for (let i = 0; i < 20; i++) {
      const stream = envd.session.request({ ':path': '/files?path=abandoned', 'accept-encoding': encoding });
      stream.on('error', () => {});
      await new Promise((resolve) => stream.once('response', resolve));
      const closed = new Promise((resolve) => stream.once('close', resolve));
      stream.close(constants.NGHTTP2_CANCEL);
      await closed;
    }
  }
  await until('the file is closed', () => openFiles(envd.pid).every((path) => !path.endsWith('/abandoned')));
});

test('what is no file is refused, and holds nobody up', async () => {
  execFileSync('mkfifo', [join(envd.root, 'home/user/fifo')]);
  mkdirSync(join(envd.root, 'home/user/directory'));
  symlinkSync('fifo', join(envd.root, 'home/user/link'));
  for (let i = 0; i < 8; i++) {
    for (const path of ['fifo', 'link', 'directory']) {
      expect((await get(path)).status).toBe(400);
      const posted = await ask(envd.session, 'POST', `/files?path=${path}`, 'x', {
        'content-type': 'application/octet-stream',
      });
      expect(posted.status).toBe(400);
    }
  }
  expect((await get('digits')).status).toBe(200);
});

test('compressed to the end', async () => {
  put('lines', 'line\n'.repeat(200_000));
  const { headers, body } = await get('lines', { 'accept-encoding': 'gzip' });
  expect(headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
  expect(gunzipSync(body).toString()).toBe('line\n'.repeat(200_000));
});

function openFiles(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      // Closed meanwhile.
      return [];
    }
  });
}
