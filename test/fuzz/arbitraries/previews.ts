import fc from 'fast-check';
import { strayMarker } from '../support/markers.js';

/** What a page, or another site, asks of what listens at a port of a sandbox. */
export interface PreviewCall {
  kind: 'preview';
  method: string;
  port: number;
  /** Of the app, with its query. */
  path: string;
  by: PreviewKey;
  /** What the browser tells of who began it. */
  site: Record<string, string>;
  isSocket: boolean;
  /** Asks at the preview's own origin, where previews have one. */
  atOrigin: boolean;
}

/** What lets it in: a token, or a cookie that was given for this preview or for another one. */
export type PreviewKey =
  | 'token'
  | 'subprotocol'
  | 'cookie'
  | 'cookie of another port'
  | "cookie of another's"
  | 'cookie at another address'
  | 'token as a cookie'
  | 'cookie as a token'
  | 'nothing';

export const grantedPorts = [80, 3000, 49_982] as const;

const ports = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...grantedPorts) },
  fc.constantFrom(81, 22, 49_983, 49_999, 65_535, 65_536, 99_999),
);

const appPaths = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('/', '/x?y=1', '/a%2fb', '/own-host', '/local-host', '/relative') },
  fc.constantFrom(
    '//evil.test/x',
    '/\\evil.test/x',
    '/../49983/envs',
    '/%2e%2e/49983/envs',
    '/files?path=/etc/passwd',
    '/process.Process/Start',
    '/envs',
    '/.well-known/e2b-preview',
    '/@evil.test/',
    ':80/',
    '/?x=%00',
  ),
);

const keys = fc.oneof(
  { weight: 4, arbitrary: fc.constant('cookie' as const) },
  { weight: 2, arbitrary: fc.constant('token' as const) },
  fc.constantFrom<PreviewKey[]>(
    'subprotocol',
    'cookie of another port',
    "cookie of another's",
    'cookie at another address',
    'token as a cookie',
    'cookie as a token',
    'nothing',
  ),
);

/** `%` is the preview's own origin. */
const sites = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom({}, { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' }),
  },
  fc.constantFrom<Record<string, string>[]>(
    { origin: 'https://app.example' },
    { origin: '%', 'sec-fetch-site': 'same-origin' },
    { origin: 'null' },
    { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
    { origin: 'https://81-sandboxone.preview.example', 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
    { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'object' },
    { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
    { origin: 'https://app.example', 'access-control-request-method': 'PUT' },
    { 'service-worker': 'script', 'sec-fetch-dest': 'serviceworker' },
    { 'e2b-sandbox-id': 'sandboxbob', 'e2b-sandbox-port': '49983' },
    { 'x-forwarded-for': strayMarker, via: strayMarker, connection: 'x-stray', 'x-stray': strayMarker },
    { referer: `https://any.test/${strayMarker}` },
    { authorization: `Basic ${btoa('ann:x')}` },
  ),
);

export const previewCalls: fc.Arbitrary<PreviewCall> = fc.record({
  kind: fc.constant('preview' as const),
  method: fc.oneof(
    { weight: 4, arbitrary: fc.constant('GET') },
    fc.constantFrom('POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PROPFIND'),
  ),
  port: ports,
  path: appPaths,
  by: keys,
  site: sites,
  isSocket: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.constant(true)),
  atOrigin: fc.boolean(),
});
