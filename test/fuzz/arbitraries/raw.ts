import fc from 'fast-check';
import { type Call, calls } from './calls.js';
import { type TokenTrick, tokenTricks } from './tokens.js';

/** How a body is said to end. */
export const framings = [
  ...([
    'length',
    'chunked',
    'two equal lengths',
    'both',
    'both, the other way',
    'two lengths',
    'list of lengths',
  ] as const),
  ...([
    'odd coding',
    'coding twice',
    'coding and length with a tab',
    'space before colon',
    'short length',
  ] as const),
  ...([
    'long length',
    'signed length',
    'hex length',
    'chunk too long',
    'chunk size signed',
    'chunk size hex prefix',
  ] as const),
  ...(['chunk extension', 'chunk extension with LF', 'trailer', 'chunks unfinished', 'none'] as const),
] as const;
export type Framing = (typeof framings)[number];

/** How the target is written. */
export const targets = [
  ...([
    'path',
    'absolute',
    'absolute elsewhere',
    'two slashes',
    'backslashes',
    'dots',
    'encoded dots',
    'fragment',
  ] as const),
  ...([
    'with a space',
    'with a NUL',
    'with a tab',
    'high bytes',
    'authority',
    'asterisk',
    'empty',
    'no slash',
  ] as const),
] as const;
export type Target = (typeof targets)[number];

/** What else is wrong with the head of a request. */
export const headTricks = [
  ...([
    'bare LF',
    'bare CR',
    'folded',
    'NUL in a value',
    'high bytes in a value',
    'no host',
    'two hosts',
    'odd host',
  ] as const),
  ...([
    'empty name',
    'space in a name',
    'underscores',
    'authorization twice',
    'authorization folded',
    'hop by hop',
  ] as const),
  ...([
    'expect',
    'upgrade',
    'upgrade to h2c',
    'many',
    'large',
    'HTTP/1.0',
    'HTTP/2.0',
    'HTTP/0.9',
    'lower case',
  ] as const),
  ...(['CONNECT', 'TRACE', 'PRI', 'blank lines before', 'space before'] as const),
] as const;
export type HeadTrick = (typeof headTricks)[number];

/** A request as bytes on a connection. */
export interface RawCase {
  call: Call;
  token: TokenTrick;
  target: Target;
  framing: Framing;
  head: HeadTrick[];
  /** Another request inside of its body, that its session may make: it is to stay a body. */
  smuggles: boolean;
}

export const rawCases: fc.Arbitrary<RawCase> = fc.record({
  call: fc.oneof(
    // What changes sessions would change the cases after it.
    { weight: 4, arbitrary: calls.filter(({ kind }) => ['rpc', 'download', 'upload'].includes(kind)) },
    fc.constant({ kind: 'plain', method: 'GET', path: '/envd/:sandbox/health' } as const),
  ),
  token: tokenTricks,
  target: fc.oneof({ weight: 3, arbitrary: fc.constant('path' as const) }, fc.constantFrom(...targets)),
  framing: fc.oneof(
    { weight: 1, arbitrary: fc.constant('length' as const) },
    { weight: 2, arbitrary: fc.constantFrom(...framings) },
  ),
  head: fc.oneof(
    { weight: 1, arbitrary: fc.constant<HeadTrick[]>([]) },
    fc.array(fc.constantFrom(...headTricks), { minLength: 1, maxLength: 2 }),
  ),
  smuggles: fc.boolean(),
});
