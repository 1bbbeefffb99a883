import type { JsonObject } from '@bufbuild/protobuf';
import fc from 'fast-check';
import type { Call } from './calls.js';

export const base64 = (text: string): string => Buffer.from(text).toString('base64');
export const codec = fc.constantFrom('json' as const, 'proto' as const);

export const content = fc.oneof(
  fc.constantFrom(
    '',
    'text\n',
    '<!DOCTYPE html><p>',
    '{"a":1}',
    '\u0000\u0001\u0002',
    '\u00ef\u00bb\u00bfbom',
    'x'.repeat(5000),
  ),
  fc.string({ maxLength: 20 }),
);

/** Few names, so that calls meet each other's files. */
const name = fc.constantFrom(
  'a',
  'b',
  'c',
  'd',
  'x.txt',
  'y.json',
  '.hidden',
  'two words',
  'ü',
  '"q"',
  '%41',
);

export function paths(scratch: string): fc.Arbitrary<string> {
  const plain = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => [scratch, ...names].join('/'));
  return fc.oneof(
    { weight: 12, arbitrary: plain },
    { weight: 1, arbitrary: plain.map((path) => `${path}/`) },
    { weight: 1, arbitrary: plain.map((path) => path.replace(/\/([^/]*)$/, '//$1')) },
    { weight: 1, arbitrary: plain.map((path) => path.replace(/\/([^/]*)$/, '/./$1')) },
    { weight: 1, arbitrary: plain.map((path) => path.replace(/\/([^/]*)$/, '/zz/../$1')) },
    { weight: 1, arbitrary: fc.constant(`${scratch}/${'n'.repeat(256)}`) },
    { weight: 1, arbitrary: fc.constant('~nobody/x') },
  );
}

/** Paths that are only looked at. */
export function seen(scratch: string): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 12, arbitrary: paths(scratch) },
    { weight: 1, arbitrary: fc.constantFrom('/etc/passwd/x', '/dev/null', '/dev/null/x') },
    { weight: 1, arbitrary: fc.constant(scratch) },
  );
}

export function rpc(
  service: 'process.Process' | 'filesystem.Filesystem',
  method: string,
  message: fc.Arbitrary<JsonObject>,
  headers: fc.Arbitrary<Record<string, string>> = fc.constant({}),
): fc.Arbitrary<Call> {
  return fc
    .record({ codec, message, headers })
    .map((fields) => ({ kind: 'rpc', service, method, ...fields }));
}
