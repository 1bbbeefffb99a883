import { describe, expect, test } from 'vitest';
import type { Authorization, Intent, JoinIntent, RefreshIntent } from '../../../src/broker/authorization.js';
import { authorize } from '../../../src/broker/authorize.js';
import type { Exchange } from '../../../src/broker/exchange.js';
import { parseGrant } from '../../../src/broker/grant.js';
import { decidedClaims, lifeSeconds } from '../../../src/broker/mint-plan.js';
import {
  AuthenticationError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
} from '../../../src/errors.js';
import type { Grant } from '../../../src/wire/session.js';

function allow(grants: Grant, more: Partial<Authorization> = {}): Authorization {
  return { subject: 'ann', sandbox: { template: 'base' }, grants, ...more };
}

function ask(answer: unknown, intent: Intent = { action: 'mint' }, event: object = {}) {
  const options = { authorize: () => answer };
  return authorize({ options, request: {}, context: {}, event } as unknown as Exchange, intent);
}

const conflict: Grant = { commands: ['npm test'], files: [{ op: 'write', prefix: '/home/user' }] };

describe('what an application allows', () => {
  test('is had by its subject, whom the log names', async () => {
    const event = {};
    const allowed = allow({ pty: 'write' }, { processesOf: 'bob' });
    expect(await ask(Promise.resolve(allowed), { action: 'mint' }, event)).toStrictEqual({
      subject: 'ann',
      sandbox: { template: 'base' },
      processesOf: 'bob',
      grant: parseGrant({ pty: 'write' }),
    });
    expect(event).toEqual({ subject: 'ann' });
  });

  test.each([null, undefined, false])('is nothing where it says %s', async (answer) => {
    await expect(ask(answer)).rejects.toMatchObject({ code: 'session_refused', statusCode: 403 });
  });

  test('is what a page asks for and no more, of which it may pass on no more than that', async () => {
    const grant = parseGrant({ pty: 'read' });
    const authorized = await ask(allow({ pty: 'write', commands: 'run' }, { invite: { pty: 'write' } }), {
      action: 'mint',
      grant,
    });
    expect(authorized.grant).toEqual(grant);
    expect(authorized.invite).toEqual(grant);
  });

  test.each<[string, Authorization]>([
    ['grants', allow(conflict)],
    [
      'an invitation',
      allow({ commands: 'run', files: [{ op: 'write', prefix: '/' }] }, { invite: conflict }),
    ],
  ])('is of no use with %s of which one part cancels the other', async (_what, answer) => {
    await expect(ask(answer)).rejects.toMatchObject({
      code: 'broker_misconfigured',
      cause: { message: expect.stringContaining('Not a grant') },
    });
  });

  test('is not asked for by a page in parts of which one cancels the other', async () => {
    const answer = allow({ commands: 'run', files: [{ op: 'write', prefix: '/' }] });
    const intent = { action: 'mint', grant: parseGrant(conflict) } as const;
    await expect(ask(answer, intent)).rejects.toMatchObject({ code: 'invalid_grant', statusCode: 400 });
  });
});

describe('a guest', () => {
  const grant = parseGrant({ pty: 'read', user: 'worker' });
  const join: JoinIntent = { action: 'join', sandboxId: 'i1', invitedBy: 'ann', grant };
  const refresh: RefreshIntent = {
    action: 'refresh',
    sandboxId: 'i1',
    sessionId: 's1',
    subject: 'bob',
    invitedBy: 'ann',
    grant,
  };
  const { invitedBy: _none, ...own } = refresh;

  test.each<Intent>([join, refresh])('is the user of who invited: %j', async (intent) => {
    for (const user of [undefined, 'worker']) {
      const authorized = await ask(allow({ pty: 'write', ...(user && { user }) }), intent);
      expect(authorized.grant).toEqual(grant);
    }
    await expect(ask(allow({ pty: 'write', user: 'root' }), intent)).rejects.toMatchObject({
      code: 'broker_misconfigured',
    });
  });

  test('is not who refreshes a session of its own: the user is what the application says by now', async () => {
    expect((await ask(allow({ pty: 'write', user: 'root' }), own)).grant).toEqual({ ...grant, user: 'root' });
  });
});

describe('what an application throws', () => {
  test.each([
    [new AuthenticationError('Who?', { code: 'x', statusCode: 500 }), { code: 'x', statusCode: 401 }],
    [new PermissionDeniedError('No.', { code: 'y', statusCode: 500 }), { code: 'y', statusCode: 403 }],
    [
      new RateLimitError('Slow.', { code: 'z', retryAfterMs: 5 }),
      { code: 'z', statusCode: 429, retryAfterMs: 5 },
    ],
    [new RateLimitError('Slow.', { code: 'z' }), { code: 'z', statusCode: 429, retryAfterMs: undefined }],
  ])('is told to the page where it is meant for it: %s', async (error, told) => {
    const thrown = await ask(Promise.reject(error)).catch((other: unknown) => other);
    expect(thrown).toBeInstanceOf(error.constructor);
    expect(thrown).not.toBe(error);
    const { message, code, statusCode, retryAfterMs } = thrown as RateLimitError;
    expect({ message, code, statusCode, retryAfterMs }).toEqual({ message: error.message, ...told });
  });

  test.each([new NotFoundError('/etc/secret'), new Error('hunter2'), 'hunter2', null])(
    'is for the log alone where it is anything else: %s',
    async (error) => {
      const thrown = await ask(Promise.reject(error)).catch((other: unknown) => other);
      expect(thrown).toMatchObject({ code: 'broker_misconfigured', statusCode: 500 });
      expect((thrown as Error).message).not.toMatch(/secret|hunter2/);
      expect((thrown as Error).cause).toMatchObject({ cause: error });
    },
  );
});

describe('a session as it is decided', () => {
  const decide = async (sandbox: object, more: Partial<Authorization> = {}) =>
    decidedClaims(await ask(allow({}, { sandbox: { template: 'base', ...sandbox }, ...more })));

  test('says only what is not as always', async () => {
    const g = parseGrant({});
    expect(await decide({})).toStrictEqual({ sub: 'ann', g, keep: 300 });
    expect(await decide({ keepAlive: true, endWithSession: false })).toStrictEqual({
      sub: 'ann',
      g,
      keep: 300,
    });
    expect(
      await decide(
        { keepAlive: false, endWithSession: true },
        { processesOf: 'bob', invite: {}, dangerouslyAllowDirect: true },
      ),
    ).toStrictEqual({ sub: 'ann', g, ews: true, own: 'bob', inv: g });
  });

  test('has its sandbox live on for whole seconds, and for no less than is said', async () => {
    const life = async (timeoutMs: number) =>
      lifeSeconds(await ask(allow({}, { sandbox: { template: 'base', timeoutMs } })));
    expect(await life(90_000)).toBe(90);
    expect(await life(90_001)).toBe(91);
  });
});
