import { describe, expect, test } from 'vitest';
import {
  appCookies,
  browserCookie,
  ownCookie,
  tokenOfCookie,
} from '../../../src/broker/previews/preview-cookies.js';
import type { PreviewTarget } from '../../../src/broker/previews/preview-target.js';

const at: PreviewTarget = { sandboxId: 'i1', port: 1, root: '/', path: '/', origin: 'https://1-i1.x' };
const below: PreviewTarget = { sandboxId: 'i1', port: 1, root: '/ports/i1/1/~s/', path: '/' };

describe('the cookie that lets a browser in', () => {
  test('is for one preview, is read by no script, and is found again', () => {
    expect(ownCookie(at, 'a.b', 300)).toBe(
      '__Host-e2b-preview=a.b; Path=/; Max-Age=300; HttpOnly; Secure; SameSite=None; Partitioned',
    );
    expect(ownCookie(below, 'a.b', 300)).toBe(
      '__Secure-e2b-preview=a.b; Path=/ports/i1/1/~s/; Max-Age=300; HttpOnly; Secure; SameSite=None',
    );
    expect(tokenOfCookie('x=1;  __Host-e2b-preview=a.b ; y=2', at)).toBe('a.b');
    expect(tokenOfCookie('x=1; __Secure-e2b-preview=a.b', below)).toBe('a.b');
  });

  test.each([null, '', 'x=1', 'x__Host-e2b-preview=a', 'x=__Host-e2b-preview=a', '__Host-e2b-preview2=a'])(
    'is not among %j',
    (cookies) => {
      expect(tokenOfCookie(cookies, at)).toBeUndefined();
    },
  );

  test('is of its own place alone', () => {
    expect(tokenOfCookie('__Secure-e2b-preview=a', at)).toBeUndefined();
    expect(tokenOfCookie('__Host-e2b-preview=a', below)).toBeUndefined();
  });
});

describe('the cookies of a request', () => {
  test('reach the app as it named them, ours never, and none where there are none', () => {
    expect(appCookies('a=1;b=2; __Host-e2b-preview=t ;c=x=y;', at)).toBe('a=1; b=2; c=x=y');
    expect(appCookies('__Host-e2b-preview=t', at)).toBeUndefined();
    expect(appCookies(null, at)).toBeUndefined();
    expect(appCookies('x=__Host-e2b-preview=t', at)).toBe('x=__Host-e2b-preview=t');
  });

  test("below the broker's path are never those of the application", () => {
    const cookies =
      'session=private; e2b-preview.a=1; __Secure-e2b-preview=t; e2b-preview.b=x=y; x=e2b-preview.';
    expect(appCookies(cookies, below)).toBe('a=1; b=x=y');
    expect(appCookies('session=private', below)).toBeUndefined();
  });
});

describe('a cookie of an app', () => {
  test.each([
    ['a=1', 'a=1; Secure; SameSite=None; Partitioned'],
    ['a=b=c; Path=/x; Max-Age=3', 'a=b=c; Max-Age=3; Path=/x; Secure; SameSite=None; Partitioned'],
    ['a=1; Path=x; domain=x; SECURE', 'a=1; Secure; SameSite=None; Partitioned'],
    ['a=1;HttpOnly;Partitioned;SameSite=Lax', 'a=1; HttpOnly; Secure; SameSite=None; Partitioned'],
    // The first pair is the cookie, whatever it looks like.
    ['path=/; a=1', 'path=/; a=1; Secure; SameSite=None; Partitioned'],
    ['a=1; x=domain; path =/y', 'a=1; x=domain; Secure; SameSite=None; Partitioned'],
    ['a=1; x-path=/y; PATH=/z', 'a=1; x-path=/y; Path=/z; Secure; SameSite=None; Partitioned'],
    ['a=1; Path=/', 'a=1; Path=/; Secure; SameSite=None; Partitioned'],
    ['a=', 'a=; Secure; SameSite=None; Partitioned'],
    ['x__Host-e2b-preview=1', 'x__Host-e2b-preview=1; Secure; SameSite=None; Partitioned'],
    ['__Host-e2b-preview2=1', '__Host-e2b-preview2=1; Secure; SameSite=None; Partitioned'],
    [' __Host-e2b-preview=1', undefined],
    ['__Host-e2b-preview=1', undefined],
    ['__host-E2B-preview=1', undefined],
    ['nothing', undefined],
    ['=1', undefined],
    ['a b=1', undefined],
    ['', undefined],
  ])('%s becomes %s', (cookie, expected) => {
    expect(browserCookie(cookie, at)).toBe(expected);
  });

  test('cannot pass for ours below the path either', () => {
    const set = browserCookie('__Secure-e2b-preview=1; Path=/', below);
    expect(set).toBe('e2b-preview.__Secure-e2b-preview=1; Path=/ports/i1/1/~s/; Secure; SameSite=None');
    expect(tokenOfCookie(set?.split(';')[0] ?? '', below)).toBeUndefined();
  });
});
