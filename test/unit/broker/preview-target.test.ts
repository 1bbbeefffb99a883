import { describe, expect, test } from 'vitest';
import type { Exchange } from '../../../src/broker/exchange.js';
import { readPreviewOrigins } from '../../../src/broker/previews/preview-options.js';
import { pathRoot, previewTarget, previewTemplate } from '../../../src/broker/previews/preview-target.js';
import type { Settings } from '../../../src/broker/settings.js';
import { origin } from './support/harness.js';

const sessionId = '01234567-89ab-4cde-8f01-23456789abcd';
const settings = { basePath: '/api', publicPath: '/edge', publicBase: 'https://x.example/edge' } as Settings;
const previews = readPreviewOrigins({ origin: 'https://{port}-{sandboxId}.preview.example' }, [origin]);
const at = (url: string, withOrigins = false) =>
  previewTarget({
    request: new Request(url),
    settings,
    credentials: { previews: withOrigins ? previews : undefined },
  } as unknown as Exchange);
const below = (rest: string) => at(`https://any.test/api/ports/${rest}`);
const isNone = expect.objectContaining({ code: 'route_not_found', statusCode: 404 });

describe("a preview below the broker's path", () => {
  test('is named by its address', () => {
    expect(below('i1/3000/a%2fb//c?d')).toEqual({
      sandboxId: 'i1',
      port: 3000,
      root: '/edge/ports/i1/3000/',
      path: '/a%2fb//c?d',
    });
    expect(below(`i1/1/~${sessionId}/`)).toEqual({
      sandboxId: 'i1',
      port: 1,
      root: `/edge/ports/i1/1/~${sessionId}/`,
      path: '/',
      sessionId,
    });
    expect(below(`${'a'.repeat(64)}/65535/`)).toMatchObject({ sandboxId: 'a'.repeat(64), port: 65_535 });
    expect(below(`i1/1/x/~${sessionId}/`)).not.toHaveProperty('sessionId');
    expect(below(`i1/1/~${sessionId}0/`)).toMatchObject({ path: `/~${sessionId}0/` });
    expect(below('i1/1/~0123/')).toMatchObject({ path: '/~0123/' });
  });

  test.each([
    '',
    'i1',
    'i1/3000',
    '/3000/',
    `${'a'.repeat(65)}/3000/`,
    'I1/3000/',
    'x/i1/3000/',
    'i1/0/',
    'i1/03000/',
    'i1/3000x/',
    'i1/x3000/',
    'i1/123456/',
    'i1/65536/',
    'i1/99999/',
    'i1/49983/',
    'i1//',
  ])('is none at %j', (rest) => {
    expect(() => below(rest)).toThrow(isNone);
  });

  test('is nowhere else', () => {
    for (const path of ['/ports/i1/1/', '/api/portsx/i1/1/', '/x/api/ports/i1/1/', '/api/ports']) {
      expect(at(`https://any.test${path}`)).toBeUndefined();
    }
  });
});

describe('a preview at an origin of its own', () => {
  test('is named by its host', () => {
    expect(at('https://3000-i1.preview.example/a%2fb//c?d', true)).toEqual({
      sandboxId: 'i1',
      port: 3000,
      root: '/',
      path: '/a%2fb//c?d',
      origin: 'https://3000-i1.preview.example',
    });
    expect(at('https://65535-i1.preview.example/', true)).toMatchObject({ port: 65_535 });
  });

  test('is none at a port that there is not, or that is envd’s', () => {
    for (const port of [65_536, 49_983]) {
      expect(() => at(`https://${port}-i1.preview.example/`, true)).toThrow(isNone);
    }
  });

  test('leaves the others where they are', () => {
    expect(at('https://any.test/api/ports/i1/1/', true)).toMatchObject({ root: '/edge/ports/i1/1/' });
    expect(at('https://any.test/', true)).toBeUndefined();
    expect(at('https://3000-i1.preview.example/')).toBeUndefined();
  });
});

test('a page learns where its previews are, with the port left open', () => {
  expect(previewTemplate(settings, undefined, 'i1')).toBe('https://x.example/edge/ports/i1/{port}/');
  expect(previewTemplate(settings, previews, 'i1')).toBe('https://{port}-i1.preview.example/');
  expect(pathRoot('', 'i1', 3000, sessionId)).toBe(`/ports/i1/3000/~${sessionId}/`);
});
