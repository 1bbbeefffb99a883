import { equal, ok, rejects, until } from './assert.js';
import type { AnySandbox, Suite } from './case.js';

/** How many processes of a sandbox have a command line like that. */
async function count(sandbox: AnySandbox, pattern: string): Promise<number> {
  // The brackets keep the question itself out of the answer.
  const { stdout } = await sandbox.commands.run(`pgrep -fc '^[${pattern[0]}]${pattern.slice(1)}$' || true`);
  return Number(stdout);
}

async function gone(sandbox: AnySandbox, pattern: string): Promise<void> {
  await until(async () => (await count(sandbox, pattern)) === 0, `no ${pattern} is left`);
}

/** A shell that starts three sleeps at three depths, and stays. */
function tree(seconds: number, more = ''): string {
  const sleep = `sleep ${seconds}`;
  return `${more} ${sleep} & (${sleep} & (${sleep}; true); true) & wait; true`;
}

export const commandsKill: Suite = {
  name: 'commands that are killed',
  cases: [
    {
      name: 'leave what they have started alone',
      async run(context) {
        const sandbox = await context.sandbox();
        const command = await sandbox.commands.run(tree(7101), { background: true });
        await until(async () => (await count(sandbox, 'sleep 7101')) === 3, 'the tree stands');
        equal(await command.kill(), true, 'kill');
        equal((await command.finished()).exitCode, -1, 'exit code');
        equal(await count(sandbox, 'sleep 7101'), 3, 'who lives on');
      },
    },
    {
      name: 'take all that they have started with them when their group is killed',
      async run(context) {
        const sandbox = await context.sandbox();
        const command = await sandbox.commands.run(tree(7102), { background: true });
        const other = await sandbox.commands.run('exec sleep 7103', { background: true });
        await until(async () => (await count(sandbox, 'sleep 7102')) === 3, 'the tree stands');
        equal(await command.kill({ group: true }), true, 'kill');
        equal((await command.finished()).exitCode, -1, 'exit code');
        equal(await count(sandbox, 'sleep 7102'), 0, 'who is left');
        equal(await count(sandbox, 'sleep 7103'), 1, 'the other command');
        equal(await command.kill({ group: true }), false, 'the second kill');
        await other.kill();
      },
    },
    {
      name: 'end by SIGTERM with their group, but for those who refuse to',
      async run(context) {
        const sandbox = await context.sandbox();
        const command = await sandbox.commands.run(tree(7104, "trap '' TERM;"), { background: true });
        await until(async () => (await count(sandbox, 'sleep 7104')) === 3, 'the tree stands');
        await sandbox.commands.kill(command.pid, { group: true, killSignal: 'SIGTERM' });
        // A trap that ignores is inherited: all of them refuse, and go on as if nothing had been.
        equal(await count(sandbox, 'sleep 7104'), 3, 'who is left after SIGTERM');
        equal(command.exitCode, undefined, 'exit code');
        await sandbox.commands.kill(command.pid, { group: true });
        await command.finished();
        await gone(sandbox, 'sleep 7104');
      },
    },
    {
      name: 'reach with their group the children of a parent that refuses SIGTERM',
      async run(context) {
        const sandbox = await context.sandbox();
        // A trap with a command is not inherited.
        const line = `trap 'echo refused' TERM; sleep 7105 & while true; do wait; sleep 0.1; echo turn; done`;
        const command = await sandbox.commands.run(line, { background: true });
        await until(async () => (await count(sandbox, 'sleep 7105')) === 1, 'the child runs');
        await command.kill({ group: true, killSignal: 'SIGTERM' });
        await gone(sandbox, 'sleep 7105');
        await until(() => command.stdout.includes('refused'), 'the parent hears of it and lives on');
        equal(await command.kill({ group: true }), true, 'SIGKILL');
        await command.finished();
      },
    },
    {
      name: 'multiply faster than they are looked for, and end all the same',
      async run(context) {
        const sandbox = await context.sandbox();
        // Six chains that grow for seconds: who looks once misses the ends that come while it looks.
        const line =
          'grow() { sleep 7106 & sleep 0.02; [ $1 -gt 0 ] && grow $(($1 - 1)) & wait; }; for i in 1 2 3 4 5 6; do grow 80 & done; wait';
        const command = await sandbox.commands.run(line, { background: true });
        await until(async () => (await count(sandbox, 'sleep 7106')) > 3, 'it grows');
        await command.kill({ group: true });
        await gone(sandbox, 'sleep 7106');
        equal((await command.finished()).exitCode, -1, 'exit code');
      },
    },
    {
      name: 'do not take those with them who have left their session',
      async run(context) {
        const sandbox = await context.sandbox();
        // Its parent has ended, and so has all that says where it came from.
        const line = '(setsid sleep 7107 >/dev/null 2>&1 &); exec sleep 7108';
        const command = await sandbox.commands.run(line, { background: true });
        await until(async () => (await count(sandbox, 'sleep 7107')) === 1, 'the daemon runs');
        await until(async () => (await count(sandbox, 'sleep 7108')) === 1, 'the command runs');
        await command.kill({ group: true });
        await gone(sandbox, 'sleep 7108');
        equal(await count(sandbox, 'sleep 7107'), 1, 'the daemon');
        await sandbox.commands.run("pkill -f '^[s]leep 7107$'");
      },
    },
    {
      name: 'get any signal',
      async run({ sandbox }) {
        const { commands } = await sandbox();
        const line =
          "trap 'echo int' INT; trap 'echo usr; exit 3' USR1; echo ready; while true; do sleep 0.05; done";
        const command = await commands.run(line, { background: true });
        await until(() => command.stdout.includes('ready'), 'it is ready');
        equal(await command.kill({ killSignal: 'SIGINT' }), true, 'SIGINT');
        await until(() => command.stdout.includes('int'), 'the trap for SIGINT');
        equal(await commands.kill(command.pid, { killSignal: 'SIGUSR1' }), true, 'SIGUSR1');
        equal((await command.finished()).exitCode, 3, 'exit code');
        equal(await command.kill({ killSignal: 'SIGUSR1' }), false, 'after the end');
        const other = await commands.run('exec sleep 7109', { background: true });
        equal(await other.kill({ killSignal: 'SIGTERM' }), true, 'SIGTERM');
        const { exitCode, error } = await other.finished();
        equal([exitCode, error], [-1, 'signal: terminated'], 'the end');
      },
    },
    {
      name: 'are only those that envd has started',
      async run({ sandbox, errors }) {
        const { commands } = await sandbox();
        equal(await commands.kill(1, { group: true }), false, 'the first process of all');
        equal(await commands.kill(999_999, { group: true }), false, 'nobody');
        const wrong = (options: object) =>
          rejects(() => commands.kill(1, options), errors.InvalidArgumentError, 'invalid_argument');
        ok((await wrong({ killSignal: 'TERM' })).message.includes('killSignal'), 'names the option');
        await wrong({ group: 'yes' });
        await wrong({ signal: 'SIGTERM' });
        for (const pid of [0, -1, 1.5, '7', Number.NaN, 2 ** 32]) {
          await rejects(() => commands.kill(pid as number), errors.InvalidArgumentError, 'invalid_argument');
        }
      },
    },
  ],
};

/** The same of terminals, which are groups and sessions by themselves. */
export const ptyKill: Suite = {
  name: 'terminals that are killed',
  cases: [
    {
      name: 'take their orphans with them when their group is killed',
      async run(context) {
        const sandbox = await context.sandbox();
        const terminal = await sandbox.pty.create({ cols: 80, rows: 24, onData: () => undefined });
        // The parent of the first has ended; the second ignores that the terminal hangs up.
        await terminal.send("(sleep 7110 &); (trap '' HUP; sleep 7110; true) &\n");
        await until(async () => (await count(sandbox, 'sleep 7110')) === 2, 'both run');
        equal(await terminal.kill({ group: true }), true, 'kill');
        await gone(sandbox, 'sleep 7110');
        equal((await terminal.finished()).exitCode, -1, 'exit code');
      },
    },
  ],
};
