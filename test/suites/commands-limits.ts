import { equal, ok, rejects, until } from './assert.js';
import type { AnySandbox, Suite } from './case.js';

async function runs(sandbox: AnySandbox, pattern: string): Promise<boolean> {
  const { stdout } = await sandbox.commands.run(`pgrep -fc '^${pattern}$' || true`);
  return Number(stdout) > 0;
}

export const commandsLimits: Suite = {
  name: 'limits of commands',
  cases: [
    {
      name: 'kills the process when timeoutMs is over',
      async run(context) {
        const sandbox = await context.sandbox();
        const error = await rejects(
          sandbox.commands.run('exec sleep 7001', { timeoutMs: 1_000 }),
          context.errors.TimeoutError,
          'command_timeout',
        );
        ok(error.message.includes('timeoutMs'), `the message names the option: ${error.message}`);
        await until(async () => !(await runs(sandbox, 'sleep 7001')), 'the process is gone');
      },
    },
    {
      name: 'lets a command outlive requestTimeoutMs once it has answered',
      async run({ sandbox }) {
        const { commands } = await sandbox();
        const { stdout } = await commands.run('echo begin; sleep 4.5; echo end', { requestTimeoutMs: 4_000 });
        equal(stdout, 'begin\nend\n', 'stdout');
      },
    },
    {
      name: 'gives up the wait for a first answer after requestTimeoutMs',
      async run({ sandbox, errors, env }) {
        const { commands } = await sandbox(env.mute);
        await rejects(
          commands.run('true', { requestTimeoutMs: 300 }),
          errors.TimeoutError,
          'request_timeout',
        );
      },
    },
    {
      name: 'stops at a signal with its reason',
      async run({ sandbox }) {
        const { commands, files } = await sandbox();
        const reason = new Error('changed my mind');
        const abort = new AbortController();
        const running = commands.run('echo on; sleep 30', {
          signal: abort.signal,
          onStdout: () => abort.abort(reason),
        });
        const seen = await running.catch((error: unknown) => error);
        ok(seen === reason, `rejected with ${String(seen)}`);
        const before = await files
          .read('x', { signal: AbortSignal.abort(reason) })
          .catch((error: unknown) => error);
        ok(before === reason, `a signal that had fired: ${String(before)}`);
      },
    },
    {
      name: 'cancels the request on the server when a signal fires',
      async run({ sandbox, env, observer }) {
        const { commands, sandboxId } = await sandbox(env.observed);
        const abort = new AbortController();
        const running = commands.run('echo on; sleep 30', {
          signal: abort.signal,
          onStdout: async () => {
            equal(await observer.open(sandboxId, '/process.Process/Start'), 1, 'requests while it runs');
            abort.abort();
          },
        });
        await running.catch(() => undefined);
        await until(
          async () => (await observer.open(sandboxId, '/process.Process/Start')) === 0,
          'the request is gone on the server',
        );
      },
    },
  ],
};
