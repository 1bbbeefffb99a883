import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { nodeRequest } from '../../../src/hosts/node/node-request.js';

const requestTo = (url: string, host = 'app.example') =>
  nodeRequest(
    { method: 'GET', url, headers: { host }, rawHeaders: [], socket: {} } as unknown as IncomingMessage,
    new AbortController().signal,
  );

test.each([
  ['/sessions', 'http://app.example/sessions'],
  ['//evil.example/sessions', 'http://app.example//evil.example/sessions'],
  ['/\\evil.example/sessions', 'http://app.example//evil.example/sessions'],
  ['/\\/evil.example/sessions', 'http://app.example///evil.example/sessions'],
  ['http://evil.example/sessions', 'http://app.example/'],
])('a path is never taken for a host: %s', (path, url) => {
  expect(requestTo(path)?.url).toBe(url);
});

test.each(['app.example/api', 'app.example/api?', 'app.example#', 'app.example\\api'])(
  'a host brings no path along: %s',
  (host) => {
    expect(requestTo('/sessions', host)?.url).toBe('http://localhost/sessions');
  },
);

test('a host that is none is not gone by', () => {
  expect(requestTo('/sessions', 'a b')?.url).toBe('http://localhost/sessions');
  expect(requestTo('/sessions', 'user:word@app.example')).toBeUndefined();
});
