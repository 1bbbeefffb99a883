import { createHash } from 'node:crypto';
import { getSignature as officialSignature } from 'e2b';
import { describe, expect, test } from 'vitest';
import { signedFileUrl } from '../../../src/sandbox/file-url.js';
import { getSignature } from '../../../src/wire/file-signature.js';

const token = 'a'.repeat(64);
const target = { baseUrl: 'https://49983-i1.e2b.app', envdVersion: '0.6.13', envdAccessToken: token };

const downloadUrl = async (path: string, options = {}, at: typeof target = target): Promise<URL> =>
  new URL(await signedFileUrl(at, 'sandbox.downloadUrl', 'read', path, options));

describe('a signature', () => {
  test.each([Number.NaN, 1.5, '60'])('does not end after %j seconds', async (expirationInSeconds) => {
    const options = { path: '/a', operation: 'read', user: undefined, envdAccessToken: token } as const;
    const signature = getSignature({ ...options, expirationInSeconds: expirationInSeconds as number });
    await expect(signature).rejects.toThrow(/expirationInSeconds is/);
  });

  test.each([
    { path: '/a', operation: 'read', user: undefined },
    { path: 'ünï 🦀+/=', operation: 'write', user: 'root' },
    { path: '', operation: 'write', user: '' },
    { path: '/a', operation: 'read', user: 'user', expirationInSeconds: 3600 },
    { path: '/a', operation: 'read', user: 'user', expirationInSeconds: 0 },
  ] as const)('is the one that the official package makes: %j', async (options) => {
    const [ours, theirs] = await Promise.all([
      getSignature({ ...options, envdAccessToken: token }),
      officialSignature({ ...options, envdAccessToken: token }),
    ]);
    // Where the second changed between the two, only the first of them is wrong.
    expect(Math.abs((ours.expiration ?? 0) - (theirs.expiration ?? 0))).toBeLessThanOrEqual(1);
    if (ours.expiration === theirs.expiration) expect(ours).toEqual(theirs);
  });

  test('needs a token', async () => {
    await expect(getSignature({ path: '/a', operation: 'read', user: 'user' })).rejects.toMatchObject({
      name: 'InvalidArgumentError',
      message: expect.stringContaining('envdAccessToken'),
    });
  });
});

describe('a URL', () => {
  test('carries the path and what signs for it', async () => {
    const path = 'a+b&c %41 ü.txt';
    const { origin, pathname, searchParams } = await downloadUrl(path, { user: 'root' });
    expect([origin, pathname]).toEqual(['https://49983-i1.e2b.app', '/files']);
    expect(searchParams.get('path')).toBe(path);
    expect(searchParams.get('username')).toBe('root');
    const digest = createHash('sha256').update(`${path}:read:root:${token}`).digest('base64');
    expect(searchParams.get('signature')).toBe(`v1_${digest.replaceAll('=', '')}`);
    expect(searchParams.has('signature_expiration')).toBe(false);
  });

  test('ends when it was said', async () => {
    const before = Math.floor(Date.now() / 1000);
    const { searchParams } = await downloadUrl('/a', { useSignatureExpiration: 60 });
    const expiration = Number(searchParams.get('signature_expiration'));
    expect(expiration - before).toBeGreaterThanOrEqual(60);
    expect(expiration - before).toBeLessThanOrEqual(61);
    const digest = createHash('sha256').update(`/a:read::${token}:${expiration}`).digest('base64');
    expect(searchParams.get('signature')).toBe(`v1_${digest.replaceAll('=', '')}`);
  });

  test('names the user of an envd that has no default one', async () => {
    const { searchParams } = await downloadUrl('/a', {}, { ...target, envdVersion: '0.3.9' });
    expect(searchParams.get('username')).toBe('user');
  });

  test('of an upload may leave the path to the form', async () => {
    const url = new URL(await signedFileUrl(target, 'sandbox.uploadUrl', 'write', undefined));
    expect(url.searchParams.has('path')).toBe(false);
    const digest = createHash('sha256').update(`:write::${token}`).digest('base64');
    expect(url.searchParams.get('signature')).toBe(`v1_${digest.replaceAll('=', '')}`);
  });

  test('is not signed for a sandbox that is open', async () => {
    const open = { ...target, envdAccessToken: undefined };
    expect(await signedFileUrl(open, 'sandbox.uploadUrl', 'write', undefined)).toBe(
      'https://49983-i1.e2b.app/files',
    );
    await expect(
      signedFileUrl(open, 'sandbox.downloadUrl', 'read', '/a', { useSignatureExpiration: 1 }),
    ).rejects.toMatchObject({
      name: 'InvalidArgumentError',
      message: expect.stringContaining('useSignatureExpiration'),
    });
  });

  test.each([
    ['', {}],
    ['a\0', {}],
    ['/a', { useSignatureExpiration: -1 }],
    ['/a', { useSignatureExpiration: 1.5 }],
    ['/a', { useSignatureExpiration: '60' }],
    ['/a', { user: '' }],
  ])('is refused for %j with %j', async (path, options) => {
    await expect(downloadUrl(path, options)).rejects.toMatchObject({
      name: 'InvalidArgumentError',
      message: expect.stringMatching(/^sandbox\.downloadUrl: /),
    });
  });
});
