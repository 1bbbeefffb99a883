import { describe, expect, test } from 'vitest';
import { readPreviewOrigins } from '../../../src/broker/previews/preview-options.js';
import { origin } from './support/harness.js';

const at = (pattern: string, origins: readonly string[] = [origin]) =>
  readPreviewOrigins({ origin: pattern }, origins);

describe("the previews' origin", () => {
  test.each([
    'https://{port}-{sandboxId}.preview.example',
    'https://{port}-{sandboxId}.preview.example:8443',
    'https://{port}-{sandboxId}.pre-view2.example',
    'http://{port}-{sandboxId}.localhost:8787',
    'http://{port}-{sandboxId}.localhost',
    'http://{port}-{sandboxId}.preview.localhost',
  ])('can be %s', (pattern) => {
    const previews = at(pattern);
    const address = new URL(previews?.of('i1', 3000) ?? '');
    expect(address.origin).toBe(pattern.replace('{port}', '3000').replace('{sandboxId}', 'i1'));
    expect(previews?.template('i1')).toBe(pattern.replace('{sandboxId}', 'i1'));
    expect(previews?.match(address.host)).toEqual({ sandboxId: 'i1', port: '3000' });
    expect(previews?.match(`x${address.host}`)).toBeUndefined();
    expect(previews?.match(`${address.host}.evil.example`)).toBeUndefined();
  });

  test('is nothing where the application names none', () => {
    expect(readPreviewOrigins(undefined, [origin])).toBeUndefined();
    expect(readPreviewOrigins({}, [origin])).toBeUndefined();
  });

  test.each([
    ['http://{port}-{sandboxId}.preview.example', 'is without TLS'],
    ['http://{port}-{sandboxId}.notlocalhost', 'is without TLS, whatever it looks like'],
    ['http://{port}-{sandboxId}.localhost.example', 'is without TLS, and begins as a local one'],
    ['https://{sandboxId}-{port}.preview.example', 'has its parts turned round'],
    ['https://{port}.preview.example', 'lacks the sandbox'],
    ['https://{port}-{sandboxId}', 'lacks the domain'],
    ['https://{port}-{sandboxId}.preview.example/', 'has a path'],
    ['https://{port}-{sandboxId}.preview.example:123456', 'has a port that there is not'],
    ['https://{port}-{sandboxId}.preview.example:', 'has half a port'],
    ['https://{port}-{sandboxId}..example', 'has an empty name'],
    ['xhttps://{port}-{sandboxId}.preview.example', 'has another scheme'],
    ['https://{port}-{sandboxId}.app.example', 'is below the application'],
    ['https://{port}-{sandboxId}.preview.app.example', 'is far below the application'],
  ])('cannot be %s, which %s', (pattern) => {
    expect(() => at(pattern, ['https://other.example', origin])).toThrow(
      expect.objectContaining({
        code: 'invalid_option',
        message: expect.stringContaining('`previews.origin`'),
      }),
    );
  });

  test('may end as the application’s does, and be below the same localhost', () => {
    expect(at('https://{port}-{sandboxId}.notapp.example')).toBeDefined();
    expect(at('http://{port}-{sandboxId}.localhost:8787', ['http://localhost:3000'])).toBeDefined();
    expect(at('http://{port}-{sandboxId}.a.localhost:8787', ['http://a.localhost:3000'])).toBeDefined();
  });

  test.each([
    ['3000-i1.preview.example', true],
    ['1-i.preview.example', true],
    [`65535-${'a'.repeat(64)}.preview.example`, true],
    [`3000-${'a'.repeat(65)}.preview.example`, false],
    ['123456-i1.preview.example', false],
    ['0-i1.preview.example', false],
    ['03000-i1.preview.example', false],
    ['3000-I1.preview.example', false],
    ['3000-.preview.example', false],
    ['3000-i1.previewxexample', false],
    ['3000-i1xpreview.example', false],
    ['3000-i1.preview.example:8443', false],
    ['preview.example', false],
    ['', false],
  ])('has a preview at %s: %s', (host, has) => {
    const found = at('https://{port}-{sandboxId}.preview.example')?.match(host);
    expect(found !== undefined).toBe(has);
  });
});
