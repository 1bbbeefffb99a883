import { describe, expect, test } from 'vitest';
import { askControlPlane } from '../../../src/broker/control-plane.js';
import {
  AuthenticationError,
  ConnectionError,
  PermissionDeniedError,
  RateLimitError,
  SandboxNotFoundError,
  ServiceBusyError,
} from '../../../src/errors.js';

const words = 'the key e2b_secret of team 7';
const refused = (error: unknown) =>
  askControlPlane(() => Promise.reject(error)).then(
    () => expect.unreachable(),
    (reason: Error) => reason,
  );

describe('the control plane', () => {
  test('has its answers passed on', async () => {
    expect(await askControlPlane(async () => 7)).toBe(7);
  });

  test.each([
    [new SandboxNotFoundError(words), { code: 'sandbox_not_found', statusCode: 404 }],
    [new AuthenticationError(words, { statusCode: 401 }), { code: 'broker_misconfigured', statusCode: 500 }],
    [
      new PermissionDeniedError(words, { statusCode: 403 }),
      { code: 'broker_misconfigured', statusCode: 500 },
    ],
    [
      new RateLimitError(words, { code: 'x', statusCode: 400, retryAfterMs: 7000 }),
      { code: 'rate_limited', statusCode: 429, retryAfterMs: 7000, name: 'RateLimitError' },
    ],
    [
      new ServiceBusyError(words, { code: 'x', retryAfterMs: 7000 }),
      { code: 'service_busy', statusCode: 503, retryAfterMs: 7000, name: 'ServiceBusyError' },
    ],
    [new ConnectionError(words), { code: 'upstream_unavailable', statusCode: 502 }],
    [new TypeError(words), { code: 'upstream_unavailable', statusCode: 502 }],
  ])('that fails with %o is heard of in the broker’s words', async (error, expected) => {
    const reason = await refused(error);
    expect(reason).toMatchObject(expected);
    expect(reason.message).not.toContain('team 7');
    expect(String(reason.cause)).not.toContain('e2b_secret');
  });

  test('tells the log alone why', async () => {
    for (const error of [new RateLimitError('slow'), new ServiceBusyError('full')]) {
      const { cause, retryAfterMs } = (await refused(error)) as RateLimitError;
      expect(cause).toMatchObject({ name: error.name, message: error.message });
      expect(cause).not.toBe(error);
      expect(retryAfterMs).toBeUndefined();
    }
    const { cause } = await refused(new AuthenticationError('no', { statusCode: 401 }));
    expect(String(cause)).toMatch(/API key \(HTTP 401\)$/);
  });
});
