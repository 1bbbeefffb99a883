import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { constants } from 'node:http2';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listDir } from '../../../src/local/envd/filesystem/list-dir.js';
import { namespacePaths } from '../../../src/local/envd/paths.js';
import { type Envd, startEnvd } from './support/envd.js';
import { ask } from './support/http2.js';
import { until } from './support/until.js';

const raw = { 'content-type': 'application/octet-stream' };
const form = { 'content-type': 'multipart/form-data; boundary=b' };

let envd: Envd;
beforeAll(async () => {
  envd = await startEnvd();
});
afterAll(() => envd.close());

const inHome = (path: string): string => join(envd.root, 'home/user', path);

async function post(query: string, headers: Record<string, string>, body: string | Buffer, to: Envd = envd) {
  const answer = await ask(to.session, 'POST', `/files${query}`, body, headers);
  return { status: answer.status, body: JSON.parse(answer.body.toString('utf8')) };
}

function part(disposition: string, content: string): string {
  return `--b\r\nContent-Disposition: ${disposition}\r\n\r\n${content}\r\n`;
}

const file = (name: string, content: string): string =>
  part(`form-data; name="file"; filename="${name}"`, content);

describe('a form', () => {
  test('of ten thousand tiny files', async () => {
    const count = 10_000;
    const parts = Array.from({ length: count }, (_, i) => file(`many/${i % 50}/${i}`, String(i)));
    const { status, body } = await post('', form, `${parts.join('')}--b--`);
    expect([status, body.length]).toEqual([200, count]);
    const found = readdirSync(inHome('many')).flatMap((name) => readdirSync(inHome(`many/${name}`)));
    expect(found).toHaveLength(count);
    expect(readFileSync(inHome('many/49/9999'), 'utf8')).toBe('9999');
  });

  test.each([
    ['file', 'file', 'C:\\dev\\x', 'C:\\dev\\x'],
    ['quotes', 'file', 'a\\"b', 'a"b'],
    ['what browsers make of quotes', 'file', 'a%22b', 'a%22b'],
    ['spaces and more', 'file', ' ü ; = ,', ' ü ; = ,'],
  ])('takes file names as they are: %s', async (_what, name, sent, stored) => {
    const { body } = await post(
      '',
      form,
      `${part(`form-data; name="${name}"; filename="${sent}"`, 'x')}--b--`,
    );
    expect(body).toEqual([{ path: `/home/user/${stored}`, name: stored.split('/').at(-1), type: 'file' }]);
    expect(existsSync(inHome(stored))).toBe(true);
  });

  test('takes the extended form of a file name before the plain one', async () => {
    const disposition = `form-data; name=file; filename=plain; filename*=utf-8''%C3%BC%20x`;
    const { body } = await post('', form, `${part(disposition, 'x')}--b--`);
    expect(body[0].path).toBe('/home/user/ü x');
  });

  test.each([
    ['no parts', '--b--'],
    ['another field', `${part('form-data; name="note"; filename="x"', 'x')}--b--`],
    ['what is no form field', `${part('attachment; name="file"; filename="x"', 'x')}--b--`],
    ['a part without headers', '--b\r\n\r\nx\r\n--b--'],
  ])('with %s has no files', async (_what, body) => {
    expect(await post('', form, body)).toEqual({ status: 200, body: [] });
  });

  test.each([
    ['nothing', ''],
    ['no delimiter', 'garbage'],
    ['no end of the headers', '--b\r\nContent-Disposition: form-data'],
    ['endless headers', `--b\r\nX: ${'x'.repeat(100_000)}`],
  ])('that is broken is 500: %s', async (_what, body) => {
    expect(await post('', form, body)).toEqual({
      status: 500,
      body: { code: 500, message: expect.stringMatching(/^error reading form: multipart: /) },
    });
  });

  test('that ends early leaves what has come', async () => {
    const { status } = await post('', form, file('early', 'as far as here').slice(0, -2));
    expect(status).toBe(500);
    expect(readFileSync(inHome('early'), 'utf8')).toBe('as far as here');
  });

  test('names each file once, and says which were written', async () => {
    const parts = file('one', '1') + file('two', '2') + file('three', '3') + file('one', 'again');
    const { status, body } = await post('', form, `${parts}--b--`);
    expect([status, body.message]).toEqual([
      400,
      expect.stringContaining(
        "'/home/user/one' in one upload request, only the first specified file was uploaded, also the following files were uploaded: /home/user/two, /home/user/three",
      ),
    ]);
    expect(readFileSync(inHome('one'), 'utf8')).toBe('1');
  });

  test('without a file name needs a path', async () => {
    const unnamed = `${part('form-data; name="file"', 'x')}--b--`;
    expect(await post('', form, unnamed)).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining('filename not found') },
    });
    expect((await post('?path=named', form, unnamed)).status).toBe(200);
  });

  test('of another boundary', async () => {
    const headers = { 'content-type': 'multipart/form-data; boundary="b c"' };
    const body = '--b c\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--b c--';
    expect((await post('?path=quoted', headers, body)).status).toBe(200);
    expect((await post('?path=none', { 'content-type': 'multipart/form-data' }, body)).status).toBe(500);
  });
});

describe('a name', () => {
  test('may have every byte but NUL and slash, as long as it is text', async () => {
    const odd = Array.from({ length: 127 }, (_, i) => String.fromCharCode(i + 1)).filter((c) => c !== '/');
    const name = `${odd.join('')}é€😀\ufffd`;
    const { status, body } = await post(`?path=${encodeURIComponent(`odd/${name}`)}`, raw, 'x');
    expect([status, body[0].name]).toEqual([200, name]);
    expect(readdirSync(inHome('odd'))).toEqual([name]);
    const read = await ask(envd.session, 'GET', `/files?path=${encodeURIComponent(`odd/${name}`)}`);
    expect(read.body.toString()).toBe('x');
  });

  test.each([
    ['in the query', '?path=bytes/%FF', raw, 'x'],
    ['of a part', '', form, Buffer.from(`${file('bytes/\xff', 'x')}--b--`, 'latin1')],
    [
      'of a part, extended',
      '',
      form,
      `${part("form-data; name=file; filename*=utf-8''bytes%2F%FF", 'x')}--b--`,
    ],
  ])('that is no text is refused: %s', async (_what, query, headers, body) => {
    const answer = await post(query, headers, body);
    expect([answer.status, answer.body.message]).toEqual([400, expect.stringContaining('UTF-8')]);
    expect(existsSync(inHome('bytes'))).toBe(false);
  });

  test.each([
    ['a NUL', 'a%00b', 400, 'NUL'],
    ['256 bytes', 'n'.repeat(256), 500, 'file name too long'],
    ['a path too long', `${'x/'.repeat(2100)}f`, 500, 'file name too long'],
    ['a slash at the end', 'new/', 400, 'is a directory'],
  ])('with %s is refused', async (_what, path, status, words) => {
    const answer = await post(`?path=/home/user/${path}`, raw, 'x');
    expect([answer.status, answer.body.message]).toEqual([status, expect.stringContaining(words)]);
  });

  test('may have 255 bytes, also where parts are joined', async () => {
    const name = 'n'.repeat(255);
    expect((await post('?path=p', raw, 'x')).status).toBe(200);
    const composed = await envd.request('POST', '/files/compose', { source_paths: ['p'], destination: name });
    expect(composed.status).toBe(200);
    expect(readFileSync(inHome(name), 'utf8')).toBe('x');
  });
});

describe('gzip', () => {
  const zipped = { ...raw, 'content-encoding': 'gzip' };

  test.each([
    ['nothing', ''],
    ['something else', 'not gzip at all'],
  ])('that is %s is refused, and the file stays', async (_what, body) => {
    writeFileSync(inHome('kept'), 'kept');
    const answer = await post('?path=kept', zipped, body);
    expect([answer.status, answer.body.message]).toEqual([400, expect.stringContaining('invalid header')]);
    expect(readFileSync(inHome('kept'), 'utf8')).toBe('kept');
  });

  test('that breaks off or is damaged is an error', async () => {
    const whole = gzipSync('text '.repeat(100_000));
    const damaged = Buffer.from(whole);
    damaged[damaged.length - 6]! ^= 1;
    for (const body of [whole.subarray(0, -20), damaged]) {
      const answer = await post('?path=broken', zipped, body);
      expect([answer.status, answer.body.message]).toEqual([500, expect.stringContaining('gzip')]);
    }
    expect((await post('?path=broken', zipped, whole)).status).toBe(200);
    expect(statSync(inHome('broken')).size).toBe(500_000);
  });

  test('in several pieces is one file', async () => {
    expect((await post('?path=pieces', zipped, Buffer.concat([gzipSync('a'), gzipSync('b')]))).status).toBe(
      200,
    );
    expect(readFileSync(inHome('pieces'), 'utf8')).toBe('ab');
  });
});

test('a client that goes away half-way leaves what it sent, and no file open', async () => {
  const stream = envd.session.request({ ':method': 'POST', ':path': '/files?path=half', ...raw });
  stream.on('error', () => {});
  stream.write(Buffer.alloc(100_000, 'x'));
  await until('something is written', () => existsSync(inHome('half')) && statSync(inHome('half')).size > 0);
  stream.close(constants.NGHTTP2_CANCEL);
  const isOpen = (): boolean =>
    execFileSync('ls', ['-l', `/proc/${envd.pid}/fd`], { encoding: 'utf8' }).includes('/half');
  await until('the file is closed', () => !isOpen());
  expect((await post('?path=half', raw, 'whole')).status).toBe(200);
  expect(readFileSync(inHome('half'), 'utf8')).toBe('whole');
});

test('a large file passes through little memory', async () => {
  const size = 400 << 20;
  const chunk = Buffer.alloc(1 << 20);
  const status = await new Promise<number>((resolve, reject) => {
    const stream = envd.session.request({ ':method': 'POST', ':path': '/files?path=large', ...raw });
    stream.once('response', (headers) => resolve(headers[':status'] ?? 0));
    stream.once('error', reject);
    let left = size;
    const more = (): void => {
      while (left > 0) {
        left -= chunk.length;
        if (!stream.write(chunk)) {
          stream.once('drain', more);
          return;
        }
      }
      stream.end();
    };
    more();
  });
  expect([status, statSync(inHome('large')).size]).toEqual([200, size]);
  const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${envd.pid}/status`, 'utf8'))?.[1]);
  expect(peak).toBeLessThan(300 << 10);
});

test('a symlink that leads to nothing, or to itself', async () => {
  mkdirSync(inHome('links'));
  symlinkSync('links/self', inHome('links/self'));
  expect((await post('?path=links/self', raw, 'x')).status).toBeGreaterThanOrEqual(400);
});

test('a full disk is 507, and what fits stays', async (context) => {
  // A disk of one megabyte with room for a few files, that only this envd sees.
  const mount = 'mount -t tmpfs -o size=1m,nr_inodes=8 tmpfs "$3/home/user" && exec "$@"';
  const canMount = process.getuid?.() === 0 && existsSync('/usr/bin/unshare');
  if (!canMount) context.skip('only root may mount a small disk');
  const full = await startEnvd(['--nofile=4096', 'unshare', '--mount', 'sh', '-c', mount, 'sh']);
  try {
    const large = await post(
      '?path=large',
      { ...raw, 'content-length': String(4 << 20) },
      Buffer.alloc(4 << 20),
      full,
    );
    expect(large).toEqual({
      status: 507,
      body: { code: 507, message: `attempted to write ${4 << 20} bytes: not enough disk space available` },
    });
    for (let i = 0, status = 0; status !== 507; i++) {
      expect(i).toBeLessThan(20);
      const answer = await post(`?path=f${i}`, raw, '', full);
      status = answer.status;
      if (status === 507) expect(answer.body.message).toContain('not enough inodes available');
    }
  } finally {
    await full.close();
  }
});

test('more entries than can be told are refused', async () => {
  const listed = await listDir(inHome('many/0'), 1, namespacePaths, 200);
  expect(listed).toHaveLength(200);
  await expect(listDir(inHome('many/0'), 1, namespacePaths, 199)).rejects.toMatchObject({
    rawMessage: 'there are more than 199 entries: ask for less depth',
  });
});
