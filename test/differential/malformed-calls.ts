import fc from 'fast-check';
import { base64 } from './arbitraries.js';
import type { Call } from './calls.js';

export function malformedCalls(scratch: string): fc.Arbitrary<Call> {
  const path = fc.constantFrom(
    '/process.Process/Start',
    '/process.Process/List',
    '/process.Process/StreamInput',
    '/filesystem.Filesystem/Stat',
    '/filesystem.Filesystem/ListDir',
    '/process.Process/None',
    '/none',
    '/files/compose',
    '/health',
    '/envs',
  );
  const method = fc.constantFrom('POST', 'POST', 'POST', 'GET', 'PUT', 'DELETE', 'HEAD');
  const type = fc.constantFrom(
    'application/json',
    'application/json; charset=utf-8',
    'application/proto',
    'application/connect+json',
    'application/connect+proto',
    'text/plain',
    undefined,
  );
  const bytes = fc.oneof(
    fc.constantFrom('', '{', '[]', 'null', '{"path":1}', '{"none":{}}', `{"path":"${scratch}"}`).map(base64),
    fc.constantFrom(
      'AAAAAAI=',
      'AAAAAAJ7fQ==',
      'AgAAAAJ7fQ==',
      'AQAAAAJ7fQ==',
      '/////w==',
      'AAAAAAJ7fQAAAAACe30=',
    ),
    fc.uint8Array({ maxLength: 12 }).map((one) => Buffer.from(one).toString('base64')),
  );
  return fc.record({ path, method, type, bytes }).map((one) => ({
    kind: 'http',
    method: one.method,
    path: one.path,
    headers: one.type === undefined ? {} : { 'content-type': one.type },
    body: one.method === 'POST' || one.method === 'PUT' ? one.bytes : undefined,
  }));
}
