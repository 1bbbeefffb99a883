import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { builtInAccounts } from '../../../src/local/envd/accounts.js';
import { boundaryOf, multipartParts } from '../../../src/local/envd/files/multipart.js';
import { expandPath } from '../../../src/local/envd/paths.js';
import { DrainMarker } from '../../../src/local/envd/process/drain-marker.js';
import { Users } from '../../../src/local/envd/users.js';

/** Cuts bytes into pieces of those sizes. */
function* cut(bytes: Buffer, sizes: number[]): Generator<Buffer> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function* source(bytes: Buffer, sizes: number[]): AsyncGenerator<Buffer> {
  yield* cut(bytes, sizes);
}

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 10 });
// Contents that look like delimiters, as far as a client that chose the boundary well can send them.
const content = fc
  .array(fc.constantFrom('\r\n--', '\r', '\n', '-', '--', 'bound', 'x', '\r\n'), { maxLength: 30 })
  .map((parts) => parts.join(''))
  .filter((text) => !`\r\n${text}`.includes('\r\n--boundary'));

describe('multipart', () => {
  test('whatever the content and wherever the body is cut, the parts come out', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(content, { maxLength: 5 }), sizes, async (contents, at) => {
        const body = contents
          .map(
            (text, i) =>
              `--boundary\r\ncontent-disposition: form-data; name="file"; filename="${i}"\r\n\r\n${text}\r\n`,
          )
          .join('');
        const found: [string | undefined, string][] = [];
        for await (const part of multipartParts(
          source(Buffer.from(`${body}--boundary--\r\n`), at),
          'boundary',
        )) {
          const chunks: Buffer[] = [];
          for await (const chunk of part.content) chunks.push(chunk);
          found.push([part.filename, Buffer.concat(chunks).toString()]);
        }
        expect(found).toEqual(contents.map((text, i) => [String(i), text]));
      }),
      { numRuns: 500 },
    );
  });

  test('whatever is sent, it ends', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), sizes, async (bytes, at) => {
        const read = async (): Promise<void> => {
          for await (const _part of multipartParts(source(Buffer.from(bytes), at), 'b'));
        };
        await read().catch((error: Error) => expect(error.message).toMatch(/^multipart: /));
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ['multipart/form-data; boundary=abc', 'abc'],
    ['multipart/form-data; charset=x; boundary="a b;c"', 'a b;c'],
    ['multipart/form-data; Boundary=abc; x=y', 'abc'],
    ['multipart/form-data', undefined],
  ])('the boundary of %s', (type, boundary) => expect(boundaryOf(type)).toBe(boundary));
});

test('the drain marker is taken out wherever it is cut, and nothing else', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.nat(31), sizes, (before, after, prefix, at) => {
      const marker = new DrainMarker();
      // A beginning of the marker that is not the marker.
      const lookalike = marker.bytes.subarray(0, prefix).toString();
      const text = `${before}${lookalike}|`;
      let output = '';
      let seen = false;
      for (const chunk of cut(Buffer.from(`${text}${marker.bytes}${after}`, 'latin1'), at)) {
        const result: { output: Buffer; seen: boolean } = seen
          ? { output: chunk, seen }
          : marker.filter(chunk);
        output += result.output.toString('latin1');
        seen = result.seen;
      }
      expect(seen).toBe(true);
      expect(output).toBe(Buffer.from(text + after, 'latin1').toString('latin1'));
    }),
  );
});

const user = new Users(builtInAccounts, false).named('user');

test.each([
  ['', '/srv/dir'],
  ['~', '/home/user'],
  ['~/a/../b', '/home/user/b'],
  ['a/./b', '/home/user/a/b'],
  ['../x', '/home/x'],
  ['/a/../b', '/a/../b'],
  ['/a/', '/a/'],
  ['a/', '/home/user/a'],
  ['~/', '/home/user'],
])('%j means %s', (path, expected) => expect(expandPath(path, user, '/srv/dir')).toBe(expected));
