import { equal, ok, rejects } from './assert.js';
import type { Suite } from './case.js';

/** An address where nothing listens: port 9 is "discard", which browsers refuse too, so an unusual one is taken. */
const nowhere = 'http://127.0.0.1:1965';

export const failures: Suite = {
  name: 'failures',
  cases: [
    {
      name: 'a missing API key',
      via: 'key',
      async run({ edge, env, runtime }) {
        const browser = runtime === 'chromium' ? { dangerouslyAllowBrowser: true } : {};
        const error = await rejects(
          edge.Sandbox.create({ apiUrl: env.apiUrl, sandboxUrl: env.sandboxUrl, ...browser }),
          edge.AuthenticationError,
          'api_key_missing',
        );
        ok(/E2B_API_KEY|apiKey/.test(error.message), `the message says what to do: ${error.message}`);
      },
    },
    {
      name: 'a wrong API key, in every call that takes one',
      via: 'key',
      async run({ edge, key, create }) {
        const { sandboxId } = await create();
        const wrong = { ...key, apiKey: `e2b_${'0'.repeat(40)}` };
        const calls = [
          () => edge.Sandbox.create(wrong),
          () => edge.Sandbox.connect(sandboxId, wrong),
          () => edge.Sandbox.getInfo(sandboxId, wrong),
          () => edge.Sandbox.setTimeout(sandboxId, 60_000, wrong),
          () => edge.Sandbox.kill(sandboxId, wrong),
          () => edge.Sandbox.list(wrong).nextItems(),
        ];
        for (const call of calls) {
          const error = await rejects(call, edge.AuthenticationError, 'unauthenticated');
          equal(error.statusCode, 401, 'statusCode');
          ok(!error.message.includes(wrong.apiKey), 'the message holds the key');
        }
      },
    },
    {
      name: 'an API key in a page',
      via: 'key',
      async run({ edge, env, runtime }) {
        const { apiUrl, sandboxUrl, apiKey } = env;
        if (runtime === 'chromium') {
          const error = await rejects(
            edge.Sandbox.create({ apiUrl, sandboxUrl, apiKey }),
            edge.AuthenticationError,
            'api_key_in_browser',
          );
          ok(/broker/.test(error.message), `the message says what to do: ${error.message}`);
        } else {
          const sandbox = await edge.Sandbox.create({ apiUrl, sandboxUrl, apiKey });
          await sandbox.kill();
        }
      },
    },
    {
      name: 'an unknown sandbox',
      via: 'key',
      async run({ edge, key }) {
        const unknown = 'i0123456789abcdefghij';
        await rejects(edge.Sandbox.connect(unknown, key), edge.SandboxNotFoundError, 'sandbox_not_found');
        await rejects(edge.Sandbox.getInfo(unknown, key), edge.SandboxNotFoundError, 'sandbox_not_found');
        await rejects(
          edge.Sandbox.setTimeout(unknown, 1_000, key),
          edge.SandboxNotFoundError,
          'sandbox_not_found',
        );
        equal(await edge.Sandbox.kill(unknown, key), false, 'kill');
      },
    },
    {
      name: 'a control plane that is not there',
      via: 'key',
      async run({ edge, key }) {
        await rejects(
          edge.Sandbox.create({ ...key, apiUrl: nowhere }),
          edge.ConnectionError,
          'connection_failed',
        );
      },
    },
    {
      name: 'a session with a field missing or wrong, for each field',
      via: 'session',
      async run({ session, browser, errors }) {
        const good = await session();
        const bad: [string, unknown][] = [
          ['the session', null],
          ['the session', 'text'],
        ];
        for (const field of Object.keys(good)) {
          bad.push([field, { ...good, [field]: [] }]);
          if (field !== 'invite') bad.push([field, { ...good, [field]: undefined }]);
        }
        for (const field of Object.keys(good.urls)) {
          bad.push([field, { ...good, urls: { ...good.urls, [field]: 5 } }]);
          if (field !== 'preview') bad.push([field, { ...good, urls: { ...good.urls, [field]: undefined } }]);
        }
        for (const [field, value] of bad) {
          const error = await rejects(
            browser.Sandbox.connect({ session: async () => value as never }),
            errors.InvalidArgumentError,
            'invalid_session',
          );
          ok(error.message.includes(field), `the message names "${field}": ${error.message}`);
          ok(!error.message.includes(good.token), 'the message holds the token');
        }
      },
    },
    {
      name: 'a token that was tampered with',
      via: 'session',
      async run({ session, errors, connect }) {
        const good = await session();
        const [header, payload, signature] = good.token.split('.');
        const flipped = `${signature?.startsWith('A') ? 'B' : 'A'}${signature?.slice(1)}`;
        for (const token of [`${header}.${payload}.${flipped}`, `${header}.${payload}.`, 'nonsense']) {
          const sandbox = await connect({ ...good, token });
          await rejects(sandbox.commands.run('true'), errors.AuthenticationError, 'session_expired');
          await rejects(sandbox.files.read('x'), errors.AuthenticationError, 'session_expired');
          await rejects(sandbox.pty.create({ cols: 80, rows: 24 }), errors.AuthenticationError);
        }
      },
    },
    {
      name: 'a broker that is not there',
      via: 'session',
      async run({ session, browser, errors, connect }) {
        await rejects(browser.fetchSession(nowhere), errors.ConnectionError, 'connection_failed');
        const good = await session();
        const urls = {
          envd: `${nowhere}/envd`,
          pty: `${nowhere.replace('http', 'ws')}/pty`,
          refresh: `${nowhere}/refresh`,
          session: `${nowhere}/session`,
          sign: `${nowhere}/sign`,
        };
        const sandbox = await connect({ ...good, urls });
        await rejects(sandbox.commands.run('true'), errors.ConnectionError, 'connection_failed');
        await rejects(sandbox.files.read('x'), errors.ConnectionError, 'connection_failed');
      },
    },
    {
      name: 'a sandbox killed before the call',
      async run({ sandbox, errors, edge, key, via }) {
        const gone = await sandbox();
        await edge.Sandbox.kill(gone.sandboxId, key);
        equal(await gone.isRunning(), false, 'isRunning');
        await rejects(gone.commands.run('true'), errors.SandboxNotFoundError, 'sandbox_not_found');
        // E2B's edge cannot tell a sandbox that ended from one that never was; a broker can.
        const [ended, code] =
          via === 'key'
            ? ([errors.TimeoutError, 'sandbox_ended'] as const)
            : ([errors.SandboxNotFoundError, 'sandbox_not_found'] as const);
        await rejects(gone.commands.list(), ended, code);
        await rejects(gone.files.read('x'), ended, code);
        await rejects(
          gone.pty.create({ cols: 80, rows: 24 }),
          errors.SandboxNotFoundError,
          'sandbox_not_found',
        );
      },
    },
    {
      name: 'a sandbox killed in mid-stream',
      async run({ sandbox, errors, edge, key }) {
        const doomed = await sandbox();
        const command = await doomed.commands.run('while true; do echo x; sleep 0.02; done', {
          background: true,
        });
        await rejects(
          async () => {
            for await (const event of command) {
              if (event.type === 'stdout') await edge.Sandbox.kill(doomed.sandboxId, key);
            }
          },
          errors.TimeoutError,
          'sandbox_ended',
        );
      },
    },
    {
      name: 'a connection cut in mid-stream, where the command is not to come back',
      async run({ sandbox, errors, env, observer }) {
        const { commands, sandboxId } = await sandbox(env.observed);
        const command = await commands.run('echo x; sleep 30', { background: true, reconnectMs: 0 });
        let cut = false;
        await rejects(
          async () => {
            for await (const event of command) {
              if (event.type !== 'stdout' || cut) continue;
              cut = true;
              await observer.cut(sandboxId, '/process.Process/Start');
            }
          },
          errors.ConnectionError,
          'connection_lost',
        );
        equal(await commands.kill(command.pid), true, 'the process lived on');
      },
    },
    {
      name: 'a connection cut in the middle of a download',
      async run({ sandbox, errors, env, observer }) {
        const { commands, files, sandboxId } = await sandbox(env.observed);
        await commands.run('head -c 200000000 /dev/urandom > noise');
        const stream = await files.read('noise', { format: 'stream' });
        const reader = stream.getReader();
        await reader.read();
        await observer.cut(sandboxId, '/files');
        await rejects(
          async () => {
            while (!(await reader.read()).done);
          },
          errors.ConnectionError,
          'connection_lost',
        );
      },
    },
    {
      name: 'a server killed in mid-stream',
      async run({ sandbox, server, errors, via }) {
        const at = await server.start();
        const { commands, files } = await sandbox(at);
        const command = await commands.run('echo x; sleep 30', { background: true, reconnectMs: 1_000 });
        await rejects(
          async () => {
            for await (const event of command) if (event.type === 'stdout') await server.kill(at.id);
          },
          errors.ConnectionError,
          'connection_lost',
        );
        // The broker is still there to answer.
        const code = via === 'key' ? 'connection_failed' : 'upstream_unavailable';
        await rejects(files.read('x'), errors.ConnectionError, code);
      },
    },
    {
      name: 'an unknown user',
      via: 'key',
      async run({ sandbox, errors }) {
        const { commands, files } = await sandbox();
        await rejects(
          commands.run('true', { user: 'nobody-here' }),
          errors.AuthenticationError,
          'unauthenticated',
        );
        await rejects(
          files.list('/', { user: 'nobody-here' }),
          errors.AuthenticationError,
          'unauthenticated',
        );
      },
    },
  ],
};
