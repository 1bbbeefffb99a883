import fc from 'fast-check';
import { wellFormed } from '../support/draft.js';
import { strayMarker } from '../support/markers.js';
import { paths } from './paths.js';

/** One thing that is wrong with a request. */
export type Twist =
  | { at: 'header'; how: 'set' | 'add' | 'remove'; name: string; value: string }
  | { at: 'address'; how: 'query' | 'sandbox' | 'upper' | 'encode' | 'double' | 'suffix'; text: string }
  | { at: 'method'; how: string }
  | { at: 'body'; how: BodyTrick; number: number };

export const bodyTricks = [
  ...([
    'cut',
    'append',
    'flip',
    'empty',
    'flags',
    'two envelopes',
    'wrong length',
    'gzip',
    'unknown field',
  ] as const),
  ...([
    'field again',
    'group',
    'endless varint',
    'key twice',
    'proto key',
    'snake case',
    'deep',
    'mark of order',
  ] as const),
  ...(['trailing text', 'two bytes a letter', 'huge', 'null', 'list', 'breaks off'] as const),
] as const;
export type BodyTrick = (typeof bodyTricks)[number];

const types = [
  ...['application/json', 'application/proto', 'application/connect+json', 'application/connect+proto'],
  ...[
    'application/json; charset=utf-8',
    'application/json;charset=utf-16',
    'application/json; charset=utf-8; x=y',
  ],
  ...[
    'APPLICATION/PROTO',
    'application/grpc-web+proto',
    'application/x-www-form-urlencoded',
    'text/plain',
    '',
  ],
  ...[
    'multipart/form-data',
    'application/octet-stream',
    'multipart/form-data; boundary="a\\"b"',
    'multipart/mixed',
  ],
  ...['application/octet-stream, text/html', 'application/proto, application/json'],
];

const headers: fc.Arbitrary<readonly [string, string]> = fc.oneof(
  fc.constantFrom(...types).map((type) => ['content-type', type] as const),
  fc
    .constantFrom(
      'x-access-token',
      'x-api-key',
      'cookie',
      'x-forwarded-for',
      'x-forwarded-host',
      'forwarded',
      'host',
      'e2b-traffic-access-token',
      'user-agent',
      'referer',
      'accept-encoding',
      'proxy-authorization',
      'x-http-method-override',
      'grpc-timeout',
      'te',
      'via',
    )
    .map((name) => [name, strayMarker] as const),
  fc.constantFrom<readonly [string, string]>(
    ['e2b-sandbox-id', 'sandboxbob'],
    ['e2b-sandbox-port', '22'],
    ['e2b-sandbox-id', ''],
    ['content-encoding', 'gzip'],
    ['content-encoding', 'identity'],
    ['connect-content-encoding', 'gzip'],
    ['connect-accept-encoding', 'gzip'],
    ['connect-protocol-version', '2'],
    ['transfer-encoding', 'chunked'],
    ['content-length', '999999999'],
    ['content-length', '-1'],
    ['content-length', 'x'],
    ['origin', 'https://app.example'],
    ['origin', 'https://evil.example'],
    ['origin', 'https://app.example.evil.test'],
    ['origin', 'null'],
    ['range', 'bytes=0-1'],
    ['range', `bytes=${'0-1,'.repeat(2000)}0-1`],
    ['if-modified-since', 'x'],
    ['x-metadata-a', 'b'],
    ['x-metadata-', 'b'],
    ['upgrade', 'websocket'],
    ['access-control-request-method', 'POST'],
    ['access-control-request-headers', 'x-evil, \u0001'],
    ['authorization', `Basic ${btoa('root:')}`],
  ),
  fc
    .constantFrom('0', '-1', '1', '5000', '99999999999', '1e3', ' 5', '0x10', 'NaN', '')
    .chain((value) =>
      fc.constantFrom('connect-timeout-ms', 'keepalive-ping-interval').map((name) => [name, value] as const),
    ),
  fc
    .constantFrom('k', 'k', 'k1', '', 'a b', '../k', 'k'.repeat(65))
    .map((key) => ['idempotency-key', key] as const),
  fc
    .constantFrom(
      '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01',
      '00-x-y-01',
      '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01-more',
      strayMarker,
    )
    .map((value) => ['traceparent', value] as const),
  fc.constantFrom('a=b', 'a'.repeat(600)).map((value) => ['tracestate', value] as const),
  fc
    .tuple(
      fc.constantFrom('x-stray', 'range', 'x-metadata-long', 'authorization', 'content-type', 'cookie'),
      fc.constantFrom(70_000, 9000),
    )
    .map(([name, length]) => [name, 'a'.repeat(length)] as const),
);

const headerTwist = fc
  .tuple(fc.constantFrom('set' as const, 'set' as const, 'add' as const, 'remove' as const), headers)
  .map(([how, [name, value]]) => ({ at: 'header', how, name, value }) as const);

const addressTwist: fc.Arbitrary<Twist> = fc.oneof(
  fc
    .oneof(
      paths.map((path) => `path=${encodeURIComponent(wellFormed(path))}`),
      fc.constantFrom(
        'username=root',
        'signature=v1_x',
        'access_token=x',
        'path=/etc',
        'path[]=/etc',
        'Path=/etc',
        'path=/a&path=/b',
        '%70ath=/etc',
        'connect=v1',
        'path=%ff%fe',
        'path=%',
        '',
      ),
    )
    .map((text) => ({ at: 'address', how: 'query', text }) as const),
  fc
    .constantFrom(
      'sandboxbob',
      'sandboxtwo',
      'none',
      'SANDBOXONE',
      'sandboxone.evil.test',
      'sandboxone@evil.test',
      'sandboxone%00',
      'sandboxone%2f..',
      '%73andboxone',
      'x'.repeat(65),
      'sandboxone:80',
      '',
      '.',
      'sandboxone#',
      'sandboxone;x',
    )
    .map((text) => ({ at: 'address', how: 'sandbox', text }) as const),
  fc
    .constantFrom('upper', 'encode', 'double', 'suffix')
    .map((how) => ({ at: 'address', how, text: '' }) as Twist),
);

export const twists: fc.Arbitrary<Twist> = fc.oneof(
  { weight: 4, arbitrary: headerTwist },
  {
    weight: 1,
    arbitrary: fc.constant({ at: 'header', how: 'set', name: 'idempotency-key', value: 'key' } as const),
  },
  { weight: 2, arbitrary: addressTwist },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('GET', 'PUT', 'POST', 'DELETE', 'HEAD', 'OPTIONS', 'post', 'X')
      .map((how) => ({ at: 'method', how }) as const),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      at: fc.constant('body' as const),
      how: fc.constantFrom(...bodyTricks),
      number: fc.nat(400),
    }),
  },
);
