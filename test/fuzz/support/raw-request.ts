import type { Framing, HeadTrick, RawCase, Target } from '../arbitraries/raw.js';
import { draftOf } from './draft.js';
import type { Keys } from './keys.js';
import { strayMarker } from './markers.js';
import { authorizationOf, type Sessions } from './tamper.js';

/** Where the request leads that is hidden inside of a body. */
export const smuggledPath = '/smuggled';
export const basePath = '/api/sandbox';

/** Framings of which two readers make different things: a request so framed is not to be taken at all. */
export const ambiguous: readonly Framing[] = [
  ...([
    'both',
    'both, the other way',
    'two lengths',
    'list of lengths',
    'coding and length with a tab',
  ] as const),
  ...(['space before colon', 'signed length', 'hex length'] as const),
];
/** Those of which the body cannot be read: what takes all of it is not to come to pass. */
export const broken: readonly Framing[] = [
  'chunk too long',
  'chunk size signed',
  'chunk size hex prefix',
  'chunk extension with LF',
  'chunks unfinished',
  'long length',
];
/** Those that are never finished, so that an answer need not come. */
const unfinished: readonly Framing[] = ['long length', 'chunk too long', 'chunks unfinished', 'none'];

export interface RawRequest {
  bytes: Buffer;
  /** Whether a server that reads it whole has all that it needs for an answer. */
  isWhole: boolean;
}

export function rawRequest(one: RawCase, sessions: Sessions, keys: Keys): RawRequest {
  const draft = draftOf(one.call, sessions.own);
  const authorization = authorizationOf(one.token, sessions, keys);
  const lines = [
    requestLine(draft.method, draft.path, one.target, one.head),
    ...(one.head.includes('no host') ? [] : ['Host: broker.test']),
    'Connection: close',
    ...draft.headers.map(([name, value]) => `${name}: ${value}`),
    ...(authorization === undefined ? [] : [`Authorization: ${authorization}`]),
    ...one.head.flatMap((trick) => headLines(trick, sessions)),
  ];
  const plain = Buffer.from(draft.body ?? []);
  const inner = `GET ${basePath}/envd/${sessions.wide.sandboxId}/files?path=${smuggledPath} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${sessions.wide.token}\r\n\r\n`;
  const body = one.smuggles ? Buffer.concat([plain, Buffer.from(inner)]) : plain;
  const { headers, bytes } = framed(one.framing, body);
  const end = one.head.includes('bare LF') ? '\n' : '\r\n';
  const before = one.head.includes('blank lines before')
    ? '\r\n\r\n'
    : one.head.includes('space before')
      ? ' '
      : '';
  const head = `${before}${[...lines, ...headers].join(end)}${end}${end}`;
  const isWhole = !unfinished.includes(one.framing) && one.target !== 'empty' && one.head.length === 0;
  return { bytes: Buffer.concat([Buffer.from(head, 'latin1'), bytes]), isWhole };
}

function requestLine(method: string, path: string, target: Target, tricks: HeadTrick[]): string {
  const verb = tricks.includes('CONNECT')
    ? 'CONNECT'
    : tricks.includes('TRACE')
      ? 'TRACE'
      : tricks.includes('PRI')
        ? 'PRI'
        : tricks.includes('lower case')
          ? method.toLowerCase()
          : method;
  const version = (['HTTP/1.0', 'HTTP/2.0'] as const).find((one) => tricks.includes(one)) ?? 'HTTP/1.1';
  const where = targetOf(`${basePath}${path}`, target);
  return tricks.includes('HTTP/0.9') ? `${verb} ${where}` : `${verb} ${where} ${version}`;
}

function targetOf(path: string, target: Target): string {
  switch (target) {
    case 'path':
      return path;
    case 'absolute':
      return `http://broker.test${path}`;
    case 'absolute elsewhere':
      return `https://sandboxes.internal${path}`;
    case 'two slashes':
      return `//evil.test${path}`;
    case 'backslashes':
      return `/\\evil.test${path}`;
    case 'dots':
      return `/x/..${path}`;
    case 'encoded dots':
      return `/x/%2e%2E${path}`;
    case 'fragment':
      return `${path}#x`;
    case 'with a space':
      return `${path} x`;
    case 'with a NUL':
      return `${path}\0`;
    case 'with a tab':
      return `${path}\t`;
    case 'high bytes':
      return `${path}\u00ff\u00c0\u00af`;
    case 'authority':
      return 'broker.test:80';
    case 'asterisk':
      return '*';
    case 'empty':
      return '';
    case 'no slash':
      return path.slice(1);
  }
}

function headLines(trick: HeadTrick, { colleague, own }: Sessions): string[] {
  switch (trick) {
    case 'bare CR':
      return [`X-A: a\rX-Access-Token: ${strayMarker}`];
    case 'folded':
      return ['X-A: a', ` X-Access-Token: ${strayMarker}`];
    case 'NUL in a value':
      return [`X-A: a\0${strayMarker}`];
    case 'high bytes in a value':
      return ['Traceparent: 00-\u00ff', 'X-Metadata-A: \u00ff'];
    case 'two hosts':
      return ['Host: evil.test'];
    case 'odd host':
      return ['X-Forwarded-Host: evil.test/x', 'X-Forwarded-Proto: javascript'];
    case 'empty name':
      return [': x'];
    case 'space in a name':
      return [`Authorization : Bearer ${own.token}`];
    case 'underscores':
      return [`X_Access_Token: ${strayMarker}`, 'E2b_Sandbox_Id: sandboxbob'];
    case 'authorization twice':
      return [`Authorization: Bearer ${colleague.token}`];
    case 'authorization folded':
      return ['Authorization: Bearer', `\t${own.token}`];
    case 'hop by hop':
      return [
        'Connection: authorization, e2b-sandbox-id',
        `Proxy-Connection: ${strayMarker}`,
        'Keep-Alive: 5',
      ];
    case 'expect':
      return ['Expect: 100-continue'];
    case 'upgrade':
      return [
        'Connection: upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
      ];
    case 'upgrade to h2c':
      return ['Connection: upgrade, http2-settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'];
    case 'many':
      return Array.from({ length: 1500 }, (_, index) => `X-${index}: ${strayMarker}`);
    case 'large':
      return [`X-Large: ${'a'.repeat(100_000)}`];
    default:
      return [];
  }
}

function framed(framing: Framing, body: Buffer): { headers: string[]; bytes: Buffer } {
  const { length } = body;
  const chunked = 'Transfer-Encoding: chunked';
  const chunk = (size: string, rest = '0\r\n\r\n'): Buffer =>
    Buffer.concat([Buffer.from(`${size}\r\n`), body, Buffer.from(`\r\n${rest}`)]);
  const hex = length.toString(16);
  // An empty chunk would be the last one.
  const chunks = length === 0 ? Buffer.from('0\r\n\r\n') : chunk(hex);
  switch (framing) {
    case 'length':
      return { headers: [`Content-Length: ${length}`], bytes: body };
    case 'two equal lengths':
      return { headers: [`Content-Length: ${length}`, `Content-Length: ${length}`], bytes: body };
    case 'chunked':
      return { headers: [chunked], bytes: chunks };
    case 'both':
      return {
        headers: [`Content-Length: ${length}`, chunked],
        bytes: Buffer.concat([Buffer.from('0\r\n\r\n'), body]),
      };
    case 'both, the other way':
      return { headers: [chunked, 'Content-Length: 3'], bytes: chunks };
    case 'two lengths':
      return { headers: [`Content-Length: ${length}`, 'Content-Length: 0'], bytes: body };
    case 'list of lengths':
      return { headers: [`Content-Length: ${length}, 0`], bytes: body };
    case 'odd coding':
      return { headers: ['Transfer-Encoding: xchunked'], bytes: chunks };
    case 'coding twice':
      return { headers: [chunked, 'Transfer-Encoding: identity'], bytes: chunks };
    case 'coding and length with a tab':
      return { headers: ['Transfer-Encoding:\tchunked', `Content-Length: ${length}`], bytes: chunks };
    case 'space before colon':
      return { headers: ['Transfer-Encoding : chunked', `Content-Length: ${length}`], bytes: chunks };
    case 'short length':
      return { headers: [`Content-Length: ${Math.floor(length / 2)}`], bytes: body };
    case 'long length':
      return { headers: [`Content-Length: ${length + 10}`], bytes: body };
    case 'signed length':
      return { headers: [`Content-Length: +${length}`], bytes: body };
    case 'hex length':
      return { headers: [`Content-Length: 0x${hex}`], bytes: body };
    case 'chunk too long':
      return { headers: [chunked], bytes: chunk('ffffffffffffffff') };
    case 'chunk size signed':
      return { headers: [chunked], bytes: chunk(`-${hex}`) };
    case 'chunk size hex prefix':
      return { headers: [chunked], bytes: chunk(`0x${hex}`) };
    case 'chunk extension':
      return { headers: [chunked], bytes: length === 0 ? chunks : chunk(`${hex};x="y"`) };
    case 'chunk extension with LF':
      return { headers: [chunked], bytes: chunk(`${hex};x\ny`) };
    case 'trailer':
      return {
        headers: [chunked, 'Trailer: authorization'],
        bytes: length === 0 ? chunks : chunk(hex, `0\r\nX-Access-Token: ${strayMarker}\r\n\r\n`),
      };
    case 'chunks unfinished':
      return { headers: [chunked], bytes: length === 0 ? Buffer.from('5\r\n') : chunk(hex, '') };
    case 'none':
      return { headers: [], bytes: body };
  }
}
