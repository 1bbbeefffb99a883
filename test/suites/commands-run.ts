import { equal, ok, rejects } from './assert.js';
import type { Suite } from './case.js';

const twentyMegabytes = 20_000_000;

export const commandsRun: Suite = {
  name: 'commands that are waited for',
  cases: [
    {
      name: 'gives stdout, stderr and the exit code',
      async run({ sandbox }) {
        const { commands } = await sandbox();
        const result = await commands.run('echo out; echo err >&2');
        equal(result.stdout, 'out\n', 'stdout');
        equal(result.stderr, 'err\n', 'stderr');
        equal(result.exitCode, 0, 'exitCode');
      },
    },
    {
      name: 'throws CommandExitError with all that was printed',
      async run({ sandbox, errors }) {
        const { commands } = await sandbox();
        const error = await rejects(
          commands.run('echo out; echo err >&2; exit 7'),
          errors.CommandExitError,
          'command_exit',
        );
        equal(error.exitCode, 7, 'exitCode');
        equal(error.stdout, 'out\n', 'stdout');
        equal(error.stderr, 'err\n', 'stderr');
      },
    },
    {
      name: 'says that a command was not found',
      async run({ sandbox, errors }) {
        const { commands } = await sandbox();
        const error = await rejects(
          commands.run('no-such-program-here'),
          errors.CommandExitError,
          'command_exit',
        );
        equal(error.exitCode, 127, 'exitCode');
        ok(error.stderr.includes('no-such-program-here'), `stderr names it: ${error.stderr}`);
      },
    },
    {
      name: 'says that a signal ended the command',
      async run({ sandbox, errors }) {
        const { commands } = await sandbox();
        const error = await rejects(commands.run('kill -TERM $$'), errors.CommandExitError, 'command_exit');
        ok(error.exitCode !== 0, `exitCode is ${error.exitCode}`);
        ok(/terminated|143/.test(error.error ?? ''), `error is ${error.error}`);
      },
    },
    {
      name: 'calls back with each piece, in order',
      async run({ sandbox }) {
        const { commands } = await sandbox();
        const out: string[] = [];
        const err: string[] = [];
        const result = await commands.run('for i in 1 2 3; do echo o$i; echo e$i >&2; sleep 0.05; done', {
          onStdout: (text) => {
            out.push(text);
          },
          onStderr: (text) => {
            err.push(text);
          },
        });
        equal(out.join(''), 'o1\no2\no3\n', 'what onStdout saw');
        equal(err.join(''), 'e1\ne2\ne3\n', 'what onStderr saw');
        equal(result.stdout, out.join(''), 'stdout');
        ok(out.length > 1, `it came in ${out.length} pieces`);
      },
    },
    {
      name: 'fails with what a callback throws',
      async run({ sandbox }) {
        const { commands } = await sandbox();
        const mine = new Error('from the callback');
        const seen = await commands
          .run('echo x; sleep 30', {
            onStdout: () => {
              throw mine;
            },
          })
          .catch((error: unknown) => error);
        ok(seen === mine, `rejected with ${String(seen)}`);
      },
    },
    {
      name: 'passes cwd and envs, and starts at home',
      async run({ sandbox, errors }) {
        const { commands } = await sandbox();
        equal((await commands.run('pwd')).stdout, '/home/user\n', 'without cwd');
        equal((await commands.run('pwd', { cwd: '/tmp' })).stdout, '/tmp\n', 'with cwd');
        const envs = { A: 'one two', B: "quote ' and $HOME", C: '終わり' };
        equal(
          (await commands.run('printf "%s|%s|%s" "$A" "$B" "$C"', { envs })).stdout,
          "one two|quote ' and $HOME|終わり",
          'envs',
        );
        await rejects(
          commands.run('pwd', { cwd: '/no/such' }),
          errors.InvalidArgumentError,
          'invalid_argument',
        );
      },
    },
    {
      name: 'runs a command of several lines with quotes of all kinds',
      async run({ sandbox }) {
        const { commands } = await sandbox();
        const { stdout } = await commands.run('cat <<"END"\n$HOME `x` "q" \'s\' \\ 終 \nEND\n');
        equal(stdout, '$HOME `x` "q" \'s\' \\ 終 \n', 'stdout');
      },
    },
    {
      name: 'carries twenty megabytes of output whole',
      async run({ sandbox }) {
        const { commands } = await sandbox();
        const { stdout } = await commands.run(`seq -w 1 99999999 | head -c ${twentyMegabytes}`);
        equal(stdout.length, twentyMegabytes, 'length');
        let line = 0;
        for (let at = 0; at + 9 <= stdout.length; at += 9 * 997) {
          line = at / 9 + 1;
          equal(stdout.slice(at, at + 9), `${String(line).padStart(8, '0')}\n`, `line ${line}`);
        }
        ok(line > 2_000_000, `looked at line ${line}`);
      },
    },
    {
      name: 'keeps UTF-8 whole where it is cut between two pieces',
      async run({ sandbox }) {
        const { commands } = await sandbox();
        const { stdout } = await commands.run(
          "printf '\\xf0\\x9f'; sleep 0.2; printf '\\xa6\\x80 \\xe7\\xb5'; sleep 0.2; printf '\\x82'",
        );
        equal(stdout, '🦀 終', 'cut on purpose');
        const many = await commands.run("yes '終わり🦀' | head -c 1400000");
        equal(many.stdout, '終わり🦀\n'.repeat(100_000), 'cut by chance');
      },
    },
    {
      name: 'replaces what is no UTF-8, and nothing else',
      async run({ sandbox }) {
        const { commands } = await sandbox();
        const { stdout } = await commands.run("printf 'a\\xff\\xfeb\\x00c\\xe7'");
        equal(stdout, 'a\ufffd\ufffdb\u0000c\ufffd', 'stdout');
      },
    },
    {
      name: 'runs twenty commands at once',
      async run({ sandbox }) {
        const { commands } = await sandbox();
        const runs = Array.from({ length: 20 }, (_, index) =>
          commands.run(`sleep 0.1; echo ${index}; exit 0`),
        );
        const results = await Promise.all(runs);
        equal(
          results.map(({ stdout }) => Number(stdout)),
          results.map((_, index) => index),
          'what they printed',
        );
      },
    },
    {
      name: 'gives an empty input unless one is asked for',
      async run({ sandbox }) {
        const { commands } = await sandbox();
        equal((await commands.run('cat; echo done')).stdout, 'done\n', 'stdout');
      },
    },
  ],
};
