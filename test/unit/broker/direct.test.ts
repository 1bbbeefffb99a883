import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Authorization } from '../../../src/broker/authorization.js';
import { parseDirectSession } from '../../../src/wire/session.js';
import { envdToken } from './support/fake-e2b.js';
import { everything, type Harness, startHarness } from './support/harness.js';

let harness: Harness;
const whole: Authorization = {
  subject: 'ann',
  sandbox: { template: 'base' },
  grants: everything,
  dangerouslyAllowDirect: true,
};

beforeEach(async () => {
  harness = await startHarness();
});

afterEach(() => harness.close());

describe('a direct session', () => {
  test('is the address of envd and its token, and nothing of the broker’s; the log says that it was given', async () => {
    harness.authorization = whole;
    const session = parseDirectSession(await harness.mint({ direct: true }));
    expect(session).toEqual({
      direct: {
        envdUrl: harness.fake.url,
        headers: { 'e2b-sandbox-id': 'i1', 'e2b-sandbox-port': '49983', 'x-access-token': envdToken },
      },
      sandboxId: 'i1',
      envdVersion: '0.6.13',
    });
    const logged = harness.events.at(-1);
    expect(logged).toMatchObject({ action: 'mint', outcome: 'allowed', direct: true, sandboxId: 'i1' });
    expect(JSON.stringify(logged)).not.toContain(envdToken);
  });

  test('is given only where the application says so by name', async () => {
    for (const dangerouslyAllowDirect of [undefined, false]) {
      harness.authorization = { ...whole, dangerouslyAllowDirect } as Authorization;
      await expect(harness.mint({ direct: true })).rejects.toMatchObject({
        code: 'direct_not_allowed',
        response: { status: 403 },
      });
    }
    expect(harness.fake.control).toEqual([]);
  });

  test('is given only to a page that asks for it, of which the application is told', async () => {
    harness.authorization = whole;
    expect(JSON.stringify(await harness.mint())).not.toContain(envdToken);
    expect(harness.events.at(-1)).not.toHaveProperty('direct');
    const intents: unknown[] = [];
    const asking = await startHarness({
      authorize: (_request, intent) => {
        intents.push(intent);
        return null;
      },
    });
    await asking.mint({ direct: true }).catch(() => undefined);
    expect(intents).toEqual([{ action: 'mint', direct: true }]);
    await asking.close();
  });

  test.each<[string, Partial<Authorization['grants']>]>([
    ['not to read all files', { files: [{ op: 'write', prefix: '/' }] }],
    [
      'not to write all files',
      {
        files: [
          { op: 'read', prefix: '/' },
          { op: 'write', prefix: '/home' },
        ],
      },
    ],
    ["not `commands: 'run'`", { commands: 'none' }],
    ["not `pty: 'write'`", { pty: 'read' }],
    ['is strict', { strict: true, user: 'root' }],
    ['pins the user "user"', { user: 'user' }],
  ])('is refused along with grants that promise less, and the log tells what: %s', async (what, less) => {
    harness.authorization = { ...whole, grants: { ...everything, ...less } };
    await expect(harness.mint({ direct: true })).rejects.toMatchObject({ code: 'broker_misconfigured' });
    expect(String(harness.events.at(-1)?.cause)).toContain(
      `direct session, which gives everything, but ${what}.`,
    );
    expect(harness.fake.control).toEqual([]);
  });

  test('is refused along with another’s processes', async () => {
    harness.authorization = { ...whole, processesOf: 'bob' };
    await expect(harness.mint({ direct: true })).rejects.toMatchObject({ code: 'broker_misconfigured' });
    expect(String(harness.events.at(-1)?.cause)).toContain('names `processesOf`');
  });

  test('may name the user that everything is done as anyway', async () => {
    harness.authorization = { ...whole, grants: { ...everything, user: 'root' } };
    expect((await harness.mint({ direct: true })).sandboxId).toBe('i1');
  });

  test('goes with no grant or invitation in what the page asks for', async () => {
    harness.authorization = whole;
    for (const more of [{ grant: { pty: 'read' } }, { invitation: 'x' }]) {
      await expect(harness.mint({ direct: true, ...more })).rejects.toMatchObject({
        code: 'invalid_argument',
        response: { status: 400 },
      });
    }
    await expect(harness.mint({ direct: 'yes' })).rejects.toMatchObject({ code: 'invalid_argument' });
  });
});
