import fc from 'fast-check';
import { base64, content, paths, seen } from './arbitraries.js';
import type { Call } from './calls.js';

export function fileCalls(scratch: string): fc.Arbitrary<Call> {
  // To a directory that is not there: envd makes it before it sees that it cannot be written to.
  const path = paths(scratch).map((one) => one.replace(/\/$/, ''));
  return fc.oneof(
    { weight: 4, arbitrary: downloads(seen(scratch)) },
    { weight: 4, arbitrary: uploads(path) },
    { weight: 2, arbitrary: multipartUploads(path) },
    { weight: 1, arbitrary: compositions(path) },
  );
}

function filesUrl(path: string | undefined, user = 'root'): string {
  const query = new URLSearchParams({ username: user, ...(path !== undefined && { path }) });
  return `/files?${query}`;
}

function downloads(path: fc.Arbitrary<string>): fc.Arbitrary<Call> {
  const headers = fc.oneof(
    { weight: 3, arbitrary: fc.constant({}) },
    {
      weight: 2,
      arbitrary: fc
        .constantFrom(
          'bytes=0-3',
          'bytes=2-',
          'bytes=-2',
          'bytes=100000-',
          'bytes=3-1',
          'lines=1',
          'bytes=0-0,2-3',
          'bytes=a-b',
        )
        .map((range) => ({ range })),
    },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom(
          'gzip',
          'identity',
          'gzip;q=0.5, identity',
          'br',
          '*',
          'identity;q=0',
          'gzip;q=0',
          'deflate, gzip',
        )
        .map((value) => ({ 'accept-encoding': value })),
    },
    { weight: 1, arbitrary: fc.constant({ 'if-modified-since': 'Fri, 01 Jan 2100 00:00:00 GMT' }) },
    { weight: 1, arbitrary: fc.constant({ 'if-modified-since': 'Sat, 01 Jan 2000 00:00:00 GMT' }) },
    { weight: 1, arbitrary: fc.constant({ 'if-none-match': '*' }) },
  );
  const user = fc.constantFrom('root', 'root', 'root', 'root', 'nobody-of-that-name');
  return fc.record({ path, headers, user }).map((one) => ({
    kind: 'http',
    method: 'GET',
    path: filesUrl(one.path, one.user),
    headers: one.headers,
    body: undefined,
  }));
}

function uploads(path: fc.Arbitrary<string>): fc.Arbitrary<Call> {
  const headers = fc.oneof(
    { weight: 8, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.constant({ 'x-metadata-color': 'red', 'x-metadata-Size': '1' }) },
    { weight: 1, arbitrary: fc.constant({ 'x-metadata-bad': 'é' }) },
    { weight: 1, arbitrary: fc.constant({ 'content-encoding': 'br' }) },
    { weight: 1, arbitrary: fc.constant({ 'content-encoding': 'gzip' }) },
    { weight: 1, arbitrary: fc.constant({ 'content-type': 'text/plain' }) },
  );
  return fc.record({ path: fc.option(path, { freq: 20, nil: undefined }), content, headers }).map((one) => ({
    kind: 'http',
    method: 'POST',
    path: filesUrl(one.path),
    headers: { 'content-type': 'application/octet-stream', ...one.headers },
    body: base64(one.content),
  }));
}

const boundary = 'the-boundary';

function multipartUploads(path: fc.Arbitrary<string>): fc.Arbitrary<Call> {
  const part = fc.record({
    field: fc.constantFrom('file', 'file', 'file', 'other'),
    file: path.filter((one) => !one.includes('"')),
    content,
  });
  const parts = fc.array(part, { maxLength: 3 });
  return fc.record({ parts, path: fc.option(path, { nil: undefined }) }).map((one) => ({
    kind: 'http',
    method: 'POST',
    path: filesUrl(one.path),
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    body: base64(
      `${one.parts
        .map(
          ({ field, file, content: text }) =>
            `--${boundary}\r\nContent-Disposition: form-data; name="${field}"; filename="${file}"\r\n\r\n${text}\r\n`,
        )
        .join('')}--${boundary}--\r\n`,
    ),
  }));
}

function compositions(path: fc.Arbitrary<string>): fc.Arbitrary<Call> {
  return fc.record({ sources: fc.array(path, { maxLength: 3 }), destination: path }).map((one) => ({
    kind: 'http',
    method: 'POST',
    path: '/files/compose',
    headers: { 'content-type': 'application/json' },
    body: base64(
      JSON.stringify({ source_paths: one.sources, destination: one.destination, username: 'root' }),
    ),
  }));
}
