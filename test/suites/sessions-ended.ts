import { equal, ok, rejects, until } from './assert.js';
import type { Suite } from './case.js';
import { PageNetwork } from './page-network.js';

const size = { cols: 80, rows: 24 };

export const sessionsEnded: Suite = {
  name: 'sessions that are over',
  cases: [
    {
      name: 'are so at once for all that is under way, and nobody is asked any more',
      via: 'session',
      async run(context) {
        const { browser, errors, session, revoke } = context;
        const network = new PageNetwork(context);
        const ends: Error[] = [];
        const asked: string[] = [];
        const given = await session();
        const sandbox = await browser.Sandbox.connect({
          ...network.options,
          session: ({ reason }) => {
            asked.push(reason);
            return given;
          },
          onSessionEnd: (error) => void ends.push(error),
        });
        const terminal = await sandbox.pty.create(size);
        const states: string[] = [];
        terminal.channel.onStatus((status) => void states.push(status.state));
        const command = await sandbox.commands.run('sleep 60', { background: true });
        const watch = await sandbox.files.watchDir('/home/user');
        const watching = async (): Promise<void> => {
          for await (const event of watch) ok(event, 'an event');
        };
        const { AuthenticationError } = errors;
        const ended = Promise.all(
          [command.wait(), watching()].map((work) => rejects(work, AuthenticationError, 'session_revoked')),
        );
        await revoke(given);
        await rejects(sandbox.files.list('/'), AuthenticationError, 'session_revoked');
        await ended;
        await rejects(terminal.wait(), AuthenticationError, 'session_revoked');
        await until(() => states.length > 0, 'the terminal is closed');
        equal(states, ['closed'], 'states of the terminal');
        const before = network.requests.length;
        const calls = [
          () => sandbox.commands.run('true'),
          () => sandbox.pty.create(size),
          () => sandbox.files.write('a', 'x'),
          () => sandbox.kill(),
          () => sandbox.isRunning(),
        ];
        for (const call of calls) await rejects(call, AuthenticationError, 'session_revoked');
        equal(network.requests.slice(before), [], 'requests after the end');
        equal(network.count('/sessions/refresh'), 0, 'refreshes');
        equal(asked, ['connect'], 'what the session function was asked');
        equal(
          ends.map((error) => 'code' in error && error.code),
          ['session_revoked'],
          'what onSessionEnd was told',
        );
      },
    },
    {
      name: 'say so at an open terminal that asks for nothing',
      via: 'session',
      async run(context) {
        const { browser, errors, env, session, revoke } = context;
        const given = await session(env.shortLived);
        let ends = 0;
        const sandbox = await browser.Sandbox.connect({
          ...context.socket,
          session: given,
          onSessionEnd: () => void ends++,
        });
        const terminal = await sandbox.pty.create(size);
        await revoke(given, env.shortLived);
        await rejects(terminal.wait(), errors.AuthenticationError, 'session_revoked');
        await until(() => ends > 0, 'onSessionEnd');
        equal(ends, 1, 'how often onSessionEnd was called');
      },
    },
    {
      name: 'are ended by the page, with their sandbox where the application said so',
      via: 'session',
      async run(context) {
        const { browser, connect, edge, env, errors, headers, key, session } = context;
        const { AuthenticationError } = errors;
        const given = await session();
        const ends: Error[] = [];
        const sandbox = await browser.Sandbox.connect({
          ...context.socket,
          session: given,
          onSessionEnd: (error) => void ends.push(error),
        });
        const copy = await connect(given);
        const terminal = await sandbox.pty.create(size);
        equal(await sandbox.endSession(), { revoked: true, killed: false }, 'how it ended');
        await rejects(terminal.wait(), AuthenticationError, 'session_revoked');
        for (const one of [sandbox, copy]) {
          await rejects(one.commands.run('true'), AuthenticationError, 'session_revoked');
          equal(await one.endSession(), { revoked: true, killed: undefined }, 'ended once more');
        }
        equal(ends.length, 1, 'how often onSessionEnd was called');
        equal((await edge.Sandbox.getInfo(given.sandboxId, key)).state, 'running', 'the sandbox');

        const other = await session(env, { headers: { ...headers, 'x-end-with-session': '1' } });
        equal(await (await connect(other)).endSession(), { revoked: true, killed: true }, 'how it ended');
        await rejects(edge.Sandbox.getInfo(other.sandboxId, key), edge.SandboxNotFoundError);
      },
    },
    {
      name: 'are not begun again where they were given as a value',
      via: 'session',
      async run(context) {
        const { browser, errors, session } = context;
        const network = new PageNetwork(context);
        const ends: Error[] = [];
        const sandbox = await browser.Sandbox.connect({
          ...network.options,
          session: { ...(await session()), token: 'no.good.token' },
          onSessionEnd: (error) => void ends.push(error),
        });
        const { AuthenticationError } = errors;
        await rejects(sandbox.files.list('/'), AuthenticationError, 'session_expired');
        const before = network.requests.length;
        await rejects(sandbox.commands.run('true'), AuthenticationError, 'session_expired');
        equal(network.requests.length, before, 'requests after the end');
        equal(ends.length, 1, 'how often onSessionEnd was called');
        ok(ends[0] instanceof AuthenticationError, 'the error of onSessionEnd');
      },
    },
  ],
};
