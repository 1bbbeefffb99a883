import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { getAttributeSync, listAttributesSync, setAttributeSync } from '@napi-rs/xattr';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Envd, startEnvd } from './support/envd.js';
import { ask } from './support/http2.js';
import { unary } from './support/rpc.js';
import { createSandbox, envdHeaders, startServer } from './support/server.js';

let envd: Envd;

beforeAll(async () => {
  envd = await startEnvd();
});
afterAll(() => envd.close());

async function send(query: string, body: string, headers: Record<string, string>) {
  const answer = await ask(envd.session, 'POST', `/files${query}`, body, headers);
  return { status: answer.status, body: JSON.parse(answer.body.toString('utf8')) };
}
const post = (path: string, headers: Record<string, string>, user = '') =>
  send(`?path=${encodeURIComponent(path)}${user && `&username=${user}`}`, 'content', {
    'content-type': 'application/octet-stream',
    ...headers,
  });
const call = async (method: string, path: string) =>
  JSON.parse((await envd.request('POST', `/filesystem.Filesystem/${method}`, { path })).text);
const stat = async (path: string) => (await call('Stat', path)).entry;
const inHome = (path: string): string => join(envd.root, 'home/user', path);

describe('metadata of an upload', () => {
  test('is stored, told at once, and by Stat and ListDir', async () => {
    const metadata = { author: 'Jo', empty: '' };
    expect(await post('m/f', { 'x-metadata-Author': 'Jo', 'X-Metadata-empty': '' })).toEqual({
      status: 200,
      body: [{ path: '/home/user/m/f', name: 'f', type: 'file', metadata }],
    });
    expect((await stat('m/f')).metadata).toEqual(metadata);
    expect((await call('ListDir', 'm')).entries[0].metadata).toEqual(metadata);
    expect(String(getAttributeSync(inHome('m/f'), 'user.e2b.author'))).toBe('Jo');
  });

  test('replaces what was there, and only that', async () => {
    await post('r', { 'x-metadata-a': '1', 'x-metadata-b': '2' });
    setAttributeSync(inHome('r'), 'user.other', 'kept');
    await post('r', { 'x-metadata-b': '3' });
    expect((await stat('r')).metadata).toEqual({ b: '3' });
    expect((await post('r', {})).body[0]).not.toHaveProperty('metadata');
    expect((await stat('r')).metadata).toBeUndefined();
    expect(listAttributesSync(inHome('r'))).toEqual(['user.other']);
  });

  test('goes to every file of a form, and through symlinks', async () => {
    symlinkSync('linked', inHome('link'));
    const part = (name: string) =>
      `--b\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\n\r\nx\r\n`;
    const { status } = await send('', `${part('other')}${part('linked')}--b--\r\n`, {
      'content-type': 'multipart/form-data; boundary=b',
      'x-metadata-k': 'v',
    });
    expect(status).toBe(200);
    for (const name of ['other', 'linked', 'link']) expect((await stat(name)).metadata).toEqual({ k: 'v' });
    await post('link', { 'x-metadata-k': 'w' });
    expect((await stat('linked')).metadata).toEqual({ k: 'w' });
  });

  test.each([
    ['a key that is too long', { [`x-metadata-${'k'.repeat(247)}`]: 'v' }, 'key "k+" exceeds 246 bytes'],
    ['too much', { 'x-metadata-k': 'v'.repeat(4096) }, 'total metadata size 4106 exceeds 4096 bytes'],
    [
      'no ASCII',
      { 'x-metadata-k': 'naïve' },
      'value for key "k" contains non-printable-ASCII byte 0xef at offset 2',
    ],
    ['a tab', { 'x-metadata-k': 'a\tb' }, 'byte 0x09 at offset 1'],
  ])('that is %s is refused before anything is written', async (_what, headers, message) => {
    expect(await post('refused', headers as Record<string, string>)).toEqual({
      status: 400,
      body: { code: 400, message: expect.stringMatching(`^invalid metadata: .*${message}`) },
    });
    expect(await stat('refused')).toBeUndefined();
  });

  test('may be as much as fits, under any name', async () => {
    for (const [key, value] of [
      ['k', 'v'.repeat(3800)],
      ['k'.repeat(246), 'v'],
      ['constructor', 'c'],
    ] as const) {
      expect((await post('most', { [`x-metadata-${key}`]: value })).status).toBe(200);
      expect(Object.entries((await stat('most')).metadata)).toEqual([[key, value]]);
    }
  });

  test('that is wrong matters less than an unknown user, and that less than the coding', async () => {
    const wrong = { 'x-metadata-k': 'ä' };
    expect((await post('x', wrong, 'bob')).status).toBe(401);
    const coded = await post('x', { ...wrong, 'content-encoding': 'br' }, 'bob');
    expect([coded.status, coded.body.message]).toEqual([
      400,
      expect.stringContaining('Content-Encoding: br'),
    ]);
  });
});

test('attributes that are no text are left out', async () => {
  await post('bytes', { 'x-metadata-good': 'yes' });
  setAttributeSync(inHome('bytes'), 'user.e2b.bad', Buffer.from([0xff, 0xfe]));
  expect((await stat('bytes')).metadata).toEqual({ good: 'yes' });
});

test('in an isolated sandbox as well', async () => {
  const server = await startServer();
  const sandbox = await createSandbox(server);
  const response = await fetch(`${server.sandboxUrl}/files?path=f`, {
    method: 'POST',
    body: 'x',
    headers: { ...envdHeaders(sandbox), 'content-type': 'application/octet-stream', 'x-metadata-a': 'b' },
  });
  expect(await response.json()).toMatchObject([{ metadata: { a: 'b' } }]);
  const { body } = await unary(server, sandbox, 'filesystem.Filesystem/Stat', { path: 'f' });
  expect(body.entry.metadata).toEqual({ a: 'b' });
});
