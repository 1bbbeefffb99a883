import { describe, expect, test } from 'vitest';
import { allowOrigin, checkOrigin, isSessionPath, preflight } from '../../../src/broker/cors.js';
import { origin } from './support/harness.js';

const ask = (path: string, asked?: string) =>
  preflight(
    new Request(`https://any.test${path}`, {
      method: 'OPTIONS',
      headers: asked === undefined ? {} : { 'access-control-request-headers': asked },
    }),
    path,
    '/api',
  );
const granted = (path: string, asked?: string) =>
  ask(path, asked).headers.get('access-control-allow-headers');

describe('a preflight', () => {
  const toSandbox = [
    'authorization',
    'content-type',
    'connect-protocol-version',
    'connect-timeout-ms',
    'idempotency-key',
    'keepalive-ping-interval',
    'range',
    'if-range',
    'if-none-match',
    'if-modified-since',
    'traceparent',
    'tracestate',
    'x-metadata-a_b-1',
  ].join(', ');

  test('lets a page send a sandbox what the broker passes on', () => {
    expect(granted('/api/envd/i1/files', toSandbox)).toBe(toSandbox);
    expect(granted('/api/envd/i1/files', ' Range,X-Metadata-A ')).toBe('range, x-metadata-a');
  });

  test.each(['x-app', 'x-metadata-', 'x-metadata-a.b', 'my-x-metadata-a', 'cookie', 'x-access-token', ''])(
    'lets it not send %j',
    (name) => {
      expect(granted('/api/envd/i1/files', name)).toBeNull();
    },
  );

  test('lets a page send the application whatever is a header', () => {
    expect(granted('/api/sessions', 'X-App_1, x-b')).toBe('x-app_1, x-b');
    expect(granted('/api/sessions/refresh', 'x-app')).toBe('x-app');
    expect(granted('/api/sessions', 'a b,ä,x;y,')).toBeNull();
    expect(granted('/api/sessions')).toBeNull();
  });

  test('names the methods of the route', () => {
    const { status, headers } = ask('/api/envd/i1/files');
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-methods')).toBe('GET, POST');
    expect(headers.get('access-control-max-age')).toBe('7200');
    expect(ask('/api/nowhere').headers.get('access-control-allow-methods')).toBe('');
  });
});

test.each([
  ['/api/sessions', true],
  ['/api/sessions/', true],
  ['/api/sessions/refresh', true],
  ['/api/sessionsx', false],
  ['/sessions', false],
  ['/x/api/sessions', false],
  ['/x/api/sessions/y', false],
  ['/api/envd/i1/sessions', false],
])('%s is judged by the application: %s', (path, is) => {
  expect(isSessionPath(path, '/api')).toBe(is);
});

describe('an origin', () => {
  const from = (value?: string) =>
    checkOrigin(new Request('https://any.test', { headers: value === undefined ? {} : { origin: value } }), [
      'https://other.example',
      origin,
    ]);

  test('is one of the listed, or none', () => {
    expect(from(origin)).toBe(origin);
    expect(from()).toBeUndefined();
    for (const foreign of ['', 'null', `${origin}.evil.example`, 'https://evil.example']) {
      expect(() => from(foreign)).toThrow(expect.objectContaining({ code: 'origin_not_allowed' }));
    }
  });

  test('that is listed reads the answer, with what it needs of the headers', () => {
    const headers = new Headers({ vary: 'Accept' });
    allowOrigin(headers, origin, false);
    expect(Object.fromEntries(headers)).toEqual({
      vary: 'Accept, Origin',
      'access-control-allow-origin': origin,
      'access-control-expose-headers':
        'accept-ranges, content-disposition, content-length, content-range, etag, last-modified, retry-after, x-request-id',
    });
    allowOrigin(headers, origin, true);
    expect(headers.get('access-control-allow-credentials')).toBe('true');
  });

  test('that is none makes no difference but to caches', () => {
    const headers = new Headers();
    allowOrigin(headers, undefined, true);
    expect(Object.fromEntries(headers)).toEqual({ vary: 'Origin' });
  });
});
