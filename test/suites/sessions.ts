import { equal, ok, rejects } from './assert.js';
import type { Case, Suite } from './case.js';

const cases: Omit<Case, 'via'>[] = [
  {
    name: 'are given, or fetched once',
    async run({ session, connect, browser, socket }) {
      const given = await session();
      const sandbox = await connect(given);
      equal(sandbox.sandboxId, given.sandboxId, 'sandboxId');
      equal(await sandbox.isRunning(), true, 'isRunning');
      let asked = 0;
      const lazy = await browser.Sandbox.connect({
        ...socket,
        session: async () => {
          asked++;
          return given;
        },
      });
      await Promise.all([lazy.commands.run('true'), lazy.commands.run('true')]);
      equal(asked, 1, 'how often the session was asked for');
    },
  },
  {
    name: 'hold neither the API key nor the token of envd',
    async run({ session, env }) {
      const text = JSON.stringify(await session());
      ok(!text.includes(env.apiKey), 'the session holds the API key');
      ok(!/access.?token/i.test(text), 'the session holds an envd token');
    },
  },
  {
    name: 'are renewed when their token is over, once for all calls that wait',
    async run({ session, browser, env, socket }) {
      const given = await session(env.shortLived);
      let refreshes = 0;
      const sandbox = await browser.Sandbox.connect({
        ...socket,
        session: given,
        fetch: (url, init) => {
          if (url === given.urls.refresh) refreshes++;
          return fetch(url, init);
        },
      });
      await new Promise((resolve) => setTimeout(resolve, given.ttlMs + 100));
      const runs = await Promise.all([1, 2, 3, 4].map((index) => sandbox.commands.run(`echo ${index}`)));
      equal(
        runs.map(({ stdout }) => stdout),
        ['1\n', '2\n', '3\n', '4\n'],
        'what the commands printed',
      );
      equal(refreshes, 1, 'refreshes');
    },
  },
  {
    name: 'are asked for again when the broker will not refresh them',
    async run({ session, browser, socket }) {
      const good = await session();
      const requests: unknown[] = [];
      const sandbox = await browser.Sandbox.connect({
        ...socket,
        session: (request) => {
          requests.push(request);
          return requests.length === 1 ? { ...good, token: 'no.good.token' } : good;
        },
      });
      equal((await sandbox.commands.run('echo fine')).stdout, 'fine\n', 'stdout');
      equal(requests, [{ reason: 'connect' }, { reason: 'renew', sandboxId: good.sandboxId }], 'requests');
    },
  },
  {
    name: 'must stay with their sandbox',
    async run({ session, browser, errors, socket }) {
      const [one, two] = [await session(), await session()];
      const sandbox = await browser.Sandbox.connect({
        ...socket,
        session: ({ reason }) => (reason === 'connect' ? { ...one, token: 'no.good.token' } : two),
      });
      await rejects(sandbox.commands.run('true'), errors.AuthenticationError, 'session_refused');
    },
  },
  {
    name: 'do what they grant, and no more',
    async run({ session, connect, errors, env }) {
      const full = await connect(await session());
      await full.files.write('open/readable.txt', 'read me');
      const narrow = await connect(
        await session(env, {
          sandboxId: full.sandboxId,
          grant: { files: [{ op: 'read', prefix: '/home/user/open' }] },
        }),
      );
      equal(await narrow.files.read('/home/user/open/readable.txt'), 'read me', 'what is granted');
      const refused = [
        () => narrow.files.read('/etc/hostname'),
        () => narrow.files.read('/home/user/open/../../../etc/hostname'),
        () => narrow.files.write('/home/user/open/new.txt', 'x'),
        () => narrow.files.remove('/home/user/open/readable.txt'),
        () => narrow.commands.run('true'),
        () => narrow.pty.create({ cols: 80, rows: 24, transport: 'websocket' }),
        () => narrow.pty.create({ cols: 80, rows: 24, transport: 'connect' }),
        () => narrow.kill(),
      ];
      for (const call of refused) await rejects(call, errors.PermissionDeniedError, 'permission_denied');
      equal(await full.files.read('open/readable.txt'), 'read me', 'the file is as it was');
    },
  },
  {
    name: 'end their sandbox, where that is granted',
    async run({ session, connect }) {
      const sandbox = await connect(await session());
      equal(await sandbox.kill(), true, 'the first kill');
      equal(await sandbox.isRunning(), false, 'isRunning');
      equal(await sandbox.kill(), false, 'the second kill');
    },
  },
];

export const sessions: Suite = {
  name: 'sessions',
  cases: cases.map((one) => ({ ...one, via: 'session' })),
};
