import { describe, expect, test } from 'vitest';
import { asRefusal, errorResponse } from '../../../src/broker/error-response.js';
import { jsonResponse } from '../../../src/broker/json-response.js';
import * as refusals from '../../../src/broker/refusals.js';
import { type E2BEdgeError, SandboxError } from '../../../src/errors.js';

/** What pages and clients go by. */
const reasons: [E2BEdgeError, string, number, string][] = [
  [refusals.unauthenticated(), 'AuthenticationError', 401, 'unauthenticated'],
  [refusals.tokenExpired(), 'AuthenticationError', 401, 'token_expired'],
  [refusals.sessionExpired(), 'AuthenticationError', 401, 'session_expired'],
  [refusals.sessionRevoked(), 'AuthenticationError', 401, 'session_revoked'],
  [refusals.sessionRefused(), 'PermissionDeniedError', 403, 'session_refused'],
  [refusals.invitationInvalid(), 'PermissionDeniedError', 403, 'invitation_invalid'],
  [refusals.mintInProgress(), 'SandboxError', 409, 'idempotency_in_progress'],
  [refusals.mintKeyReused(), 'SandboxError', 409, 'idempotency_key_reused'],
  [refusals.directNotAllowed(), 'PermissionDeniedError', 403, 'direct_not_allowed'],
  [refusals.notGranted('fly'), 'PermissionDeniedError', 403, 'permission_denied'],
  [refusals.originNotAllowed(), 'PermissionDeniedError', 403, 'origin_not_allowed'],
  [refusals.sandboxNotFound(), 'SandboxNotFoundError', 404, 'sandbox_not_found'],
  [refusals.sandboxNotFound(502), 'SandboxNotFoundError', 502, 'sandbox_not_found'],
  [refusals.sandboxBusy(), 'ServiceBusyError', 503, 'service_busy'],
  [refusals.sandboxPaused(), 'SandboxError', 409, 'sandbox_paused'],
  [refusals.processNotFound(7), 'NotFoundError', 404, 'not_found'],
  [refusals.routeNotFound(), 'NotFoundError', 404, 'route_not_found'],
  [refusals.invalidRequest('x'), 'InvalidArgumentError', 400, 'invalid_argument'],
  [refusals.invalidRequest('x', 'other'), 'InvalidArgumentError', 400, 'other'],
  [refusals.invalidGrant('x'), 'InvalidArgumentError', 400, 'invalid_grant'],
  [refusals.tooMany('stream'), 'RateLimitError', 429, 'too_many_streams'],
  [refusals.tooSoon(500), 'RateLimitError', 429, 'rate_limited'],
  [refusals.httpRefusal(418, 'teapot', 'x'), 'SandboxError', 418, 'teapot'],
  [refusals.upstreamFailed(), 'ConnectionError', 502, 'upstream_unavailable'],
  [refusals.misconfigured('x'), 'SandboxError', 500, 'broker_misconfigured'],
];

describe('a refusal', () => {
  test.each(reasons)('%o is a %s with %i %s', async (error, name, status, code) => {
    expect(error).toMatchObject({ name, statusCode: status, code });
    expect(error.message).not.toBe('');
    const response = errorResponse(error, 'the id');
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer' : null);
    expect(await response.json()).toEqual({ code, message: error.message, requestId: 'the id' });
  });

  test('says when to come again, in whole seconds and never too soon', () => {
    const retryAfter = (error: E2BEdgeError) => errorResponse(error, 'id').headers.get('retry-after');
    expect(retryAfter(refusals.tooMany('stream'))).toBe('2');
    expect(retryAfter(refusals.mintInProgress())).toBe('1');
    expect(retryAfter(refusals.sandboxBusy({ retryAfterMs: 1001 }))).toBe('2');
    expect(retryAfter(refusals.tooSoon(-5))).toBe('1');
    expect(refusals.tooSoon(-5).retryAfterMs).toBe(1);
    expect(refusals.tooSoon(2500).retryAfterMs).toBe(2500);
    expect(retryAfter(refusals.sandboxBusy())).toBeNull();
  });

  test('keeps what is behind it for the log', () => {
    expect(refusals.upstreamFailed()).not.toHaveProperty('cause');
    expect(refusals.upstreamFailed(new Error('at https://x?secret')).cause).toMatchObject({
      message: 'at https://x?…',
    });
    const cause = new Error('why');
    expect(refusals.misconfigured('What', cause).cause).toMatchObject({ message: 'What: why', cause });
    expect(refusals.misconfigured('What', 'text').cause).toMatchObject({ message: 'What', cause: 'text' });
  });
});

describe('on a stream', () => {
  const type = 'application/connect+json';

  test.each([refusals.notGranted('x'), refusals.processNotFound(7), refusals.invalidRequest('x')])(
    'what the call itself is refused for is its end: %o',
    async (error) => {
      const response = errorResponse(error, 'id', type);
      expect([response.status, response.headers.get('content-type')]).toEqual([200, type]);
      const bytes = new Uint8Array(await response.arrayBuffer());
      expect(bytes[0]).toBe(2);
      expect(JSON.parse(new TextDecoder().decode(bytes.subarray(5)))).toEqual({
        error: { code: error.code, message: error.message },
      });
    },
  );

  test.each([
    refusals.unauthenticated(),
    refusals.sandboxPaused(),
    refusals.tooMany('stream'),
    refusals.sandboxNotFound(),
    refusals.upstreamFailed(),
  ])('what the session or the sandbox is refused for is an answer of HTTP: %o', (error) => {
    const response = errorResponse(error, 'id', type);
    expect([response.status, response.headers.get('content-type')]).toEqual([
      error.statusCode,
      'application/json',
    ]);
  });
});

describe('what the broker did not say itself', () => {
  test.each([new Error('secret'), new SandboxError('secret', { code: 'x' }), 'secret', undefined])(
    'is answered without a word of it: %o',
    async (error) => {
      const refusal = asRefusal(error);
      expect(refusal).toMatchObject({ code: 'internal', statusCode: 500, cause: error });
      const text = await errorResponse(error, 'id').text();
      expect(text).not.toContain('secret');
      expect(JSON.parse(text)).toEqual({ code: 'internal', message: refusal.message, requestId: 'id' });
      expect(refusal.message).not.toBe('');
    },
  );

  test('is told apart from what it did', () => {
    const own = refusals.sandboxPaused();
    expect(asRefusal(own)).toBe(own);
  });
});

test('what a route answers is JSON', async () => {
  const made = jsonResponse({ a: 1 }, 201);
  expect([made.status, made.headers.get('content-type'), await made.json()]).toEqual([
    201,
    'application/json',
    { a: 1 },
  ]);
  expect(jsonResponse([]).status).toBe(200);
});
