import { describe, expect, test } from 'vitest';
import type { Authorization } from '../../../src/broker/authorization.js';
import { checkAuthorization } from '../../../src/broker/check-authorization.js';
import { parseGrant } from '../../../src/broker/grant.js';
import { isE2BEdgeError } from '../../../src/errors.js';

const base = { subject: 'ann', grants: {}, sandbox: { template: 'base' } };
const sandbox = (more: object) => ({ ...base, sandbox: { template: 'base', ...more } });

describe('what an application answers', () => {
  test.each<[unknown, RegExp]>([
    [true, /authorize: the options are true/],
    ['ann', /options are "ann"/],
    [[base], /options are an array/],
    [{ ...base, subject: undefined }, /authorize: subject is missing/],
    [{ ...base, subject: 7 }, /subject is 7: it must be a string of 1 to 256 characters/],
    [{ ...base, subject: '' }, /subject is ""/],
    [{ ...base, subject: 'x'.repeat(257) }, /subject is a string of 257/],
    [{ ...base, sandbox: undefined }, /authorize: sandbox is missing/],
    [{ ...base, sandbox: 'base' }, /sandbox is "base": it must be an object with a template or an id/],
    [{ ...base, sandbox: {} }, /sandbox: template is missing/],
    [sandbox({ template: '' }), /sandbox: template is ""/],
    [{ ...base, sandbox: { id: undefined } }, /authorize: sandbox: id is missing/],
    [{ ...base, sandbox: { id: 7 } }, /sandbox: id is 7: it must be the id of a sandbox/],
    [{ ...base, sandbox: { id: '../v2/sandboxes' } }, /sandbox: id is "..\/v2/],
    [
      sandbox({ id: 'i1' }),
      /authorize: sandbox: template is "base": it must be left out: there is no such field/,
    ],
    [{ ...base, sandbox: { id: 'i1', timeoutMs: 300 } }, /timeoutMs is 300: .*not seconds/],
    [sandbox({ timeoutMs: Number.POSITIVE_INFINITY }), /timeoutMs is Infinity/],
    [sandbox({ timeoutMs: '60000' }), /timeoutMs is "60000"/],
    [sandbox({ timeoutMs: 300 }), /timeoutMs is 300: .*not seconds/],
    [sandbox({ timeout: 300 }), /timeout is no option: it is timeoutMs/],
    [sandbox({ keepAlive: 'no' }), /keepAlive is "no"/],
    [sandbox({ keepalive: false }), /keepalive is false: .* left out/],
    [sandbox({ endWithSession: 1 }), /endWithSession is 1/],
    [sandbox({ reuse: '' }), /reuse is "": it must be true, false or a name of 1 to 64 characters/],
    [sandbox({ reuse: null }), /reuse is null/],
    [sandbox({ reuse: 7 }), /reuse is 7/],
    [sandbox({ reuse: 'x'.repeat(65) }), /reuse is "x+"/],
    [sandbox({ onTimeout: 'sleep' }), /onTimeout is "sleep": it must be one of kill, pause/],
    [sandbox({ envs: { A: 1 } }), /envs is of the type object/],
    [
      sandbox({ metadata: { e2bEdgeSubject: 'eve' } }),
      /metadata is of the type object: it must be an object .* without a key that begins with "e2bEdge"/,
    ],
    [sandbox({ metadata: { 'e2b-edge-create': 'k' } }), /metadata is of the type/],
    [sandbox({ metadata: { a: '1', 'E2B-EDGE-x': 'k' } }), /metadata is of the type/],
    [sandbox({ metadata: { a: 1 } }), /metadata is of the type/],
    [{ ...base, grants: undefined }, /authorize: grants is missing: it must be an object/],
    [{ ...base, grants: { files: '/' } }, /Not a grant: "files"/],
    [{ ...base, invite: 'all' }, /invite is "all"/],
    [{ ...base, invite: { root: true } }, /Not a grant: "root"/],
    [
      { ...base, invite: { user: 'root' } },
      /authorize: invite.user is "root": it must be that of `grants`: a guest is in the same terminals/,
    ],
    [{ ...base, grants: { user: 'worker' }, invite: { user: 'root' } }, /invite.user is "root"/],
    [{ ...base, processesOf: '' }, /processesOf is ""/],
    [{ ...base, processesOf: 'x'.repeat(257) }, /processesOf is a string of 257/],
    [{ ...base, dangerouslyAllowDirect: 'no' }, /dangerouslyAllowDirect is "no"/],
    [{ ...base, grant: {} }, /authorize: grant is of the type object: .* left out/],
  ])('cannot be %j, and is said why', (answer, words) => {
    try {
      checkAuthorization(answer as Authorization);
    } catch (error) {
      expect(isE2BEdgeError(error, 'broker_misconfigured')).toBe(true);
      expect(String((error as Error).cause)).toContain('`authorize`');
      expect(String((error as Error).cause)).toMatch(words);
      return;
    }
    expect.unreachable();
  });

  test('may use all that there is, to the last character', () => {
    const grants = { pty: 'write', user: 'worker' } as const;
    const most = {
      subject: 's'.repeat(256),
      sandbox: {
        template: 'base',
        metadata: { project: 'x', 'my-e2b-edge': 'y' },
        envs: { A: '1' },
        reuse: 'x'.repeat(64),
        onTimeout: 'pause' as const,
        timeoutMs: 1000,
        keepAlive: false,
        endWithSession: true,
      },
      processesOf: 'p'.repeat(256),
      dangerouslyAllowDirect: true,
    };
    for (const invite of [{ pty: 'read' as const }, { pty: 'read' as const, user: 'worker' }]) {
      expect(checkAuthorization({ ...most, grants, invite })).toStrictEqual({
        ...most,
        grants: parseGrant(grants),
        invite: parseGrant(invite),
      });
    }
    for (const sandbox of [
      { id: 'i1', keepAlive: true, endWithSession: false, timeoutMs: 86_400_000 },
      { template: 'base', reuse: true, onTimeout: 'kill' as const },
      { template: 'base', reuse: false },
    ]) {
      expect(checkAuthorization({ ...base, sandbox })).toStrictEqual({
        subject: 'ann',
        sandbox,
        grants: parseGrant({}),
      });
    }
  });
});
