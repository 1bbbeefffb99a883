import { equal, ok, rejects } from './assert.js';
import type { Suite } from './case.js';

export const sessionsBegun: Suite = {
  name: 'sessions that are begun',
  cases: [
    {
      name: 'once, where the answer is lost on the way to the page',
      via: 'session',
      async run({ browser, connect, edge, env, headers, key, observer, session }) {
        const mark = crypto.randomUUID();
        const marked = { ...headers, 'x-metadata': JSON.stringify({ mark }) };
        await observer.swallow('', '/sessions', 1);
        const given = await session(env.fronted, { headers: marked });
        const sandbox = await connect(given);
        equal((await sandbox.commands.run('echo fine')).stdout, 'fine\n', 'stdout');
        const listed = await edge.Sandbox.list({ ...key, query: { metadata: { mark } } }).nextItems();
        equal(
          listed.map(({ sandboxId }) => sandboxId),
          [given.sandboxId],
          'the sandboxes that were made',
        );
        const idempotencyKey = crypto.randomUUID();
        const first = await session(env, { idempotencyKey });
        const again = await browser.fetchSession(env.brokerUrl, { headers, idempotencyKey });
        equal(
          [again.sessionId, again.sandboxId],
          [first.sessionId, first.sandboxId],
          'asked again by its name',
        );
      },
    },
    {
      name: 'by an invitation, which passes on what was said and ends with the host',
      via: 'session',
      async run({ browser, connect, env, errors, revoke, session }) {
        const given = await session();
        const host = await connect(given);
        await host.files.write('shared.txt', 'for both');
        const grant = { files: [{ op: 'read' as const, prefix: '/home/user' }] };
        const { invitation, expiresAt } = await host.invite({ grant, ttlMs: 60_000, uses: 1 });
        ok(expiresAt > Date.now(), 'it is over already');

        const link = browser.invitationLink(invitation, 'https://app.example/room?x=1#old');
        equal(link, `https://app.example/room?x=1#e2b-invitation=${invitation}`, 'the link');

        const headers = { authorization: `Bearer guest-${crypto.randomUUID()}` };
        const joined = await browser.fetchSession(env.brokerUrl, { headers, invitation });
        equal(joined.sandboxId, given.sandboxId, 'sandboxId');
        const guest = await connect(joined);
        equal(await guest.files.read('/home/user/shared.txt'), 'for both', 'what the guest reads');
        const { AuthenticationError, PermissionDeniedError } = errors;
        await rejects(guest.files.write('/home/user/shared.txt', 'x'), PermissionDeniedError);
        await rejects(guest.commands.run('true'), PermissionDeniedError);

        for (const wrong of [invitation, 'no.good.invitation']) {
          const late = browser.fetchSession(env.brokerUrl, { headers, invitation: wrong });
          await rejects(late, PermissionDeniedError, 'invitation_invalid');
        }
        await revoke(given);
        await rejects(guest.files.list('/home/user'), AuthenticationError, 'session_revoked');
      },
    },
    {
      name: 'without leaving their invitation in the address bar',
      via: 'session',
      async run({ browser, runtime }) {
        equal(browser.takeInvitation(), undefined, 'without one');
        if (runtime !== 'chromium') return;
        const page = globalThis as unknown as { location: { hash: string; href: string } };
        const before = page.location.href;
        page.location.href = browser.invitationLink('a.b-c.d_e');
        equal(browser.takeInvitation(), 'a.b-c.d_e', 'the invitation');
        equal(page.location.href, before, 'what is left in the address bar');
        page.location.hash = '#other';
        equal(browser.takeInvitation(), undefined, 'of another fragment');
        equal(page.location.hash, '#other', 'the other fragment');
      },
    },
  ],
};
