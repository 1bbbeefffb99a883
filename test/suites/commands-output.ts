import { equal, ok, rejects } from './assert.js';
import type { Suite } from './case.js';

export const commandsOutput: Suite = {
  name: 'output of commands',
  cases: [
    {
      name: 'and the exit status are had without an error, whatever the status is',
      async run({ sandbox, errors }) {
        const { commands } = await sandbox();
        const command = await commands.run('echo out; echo err >&2; exit 4', { background: true });
        const result = await command.finished();
        equal(
          result,
          { exitCode: 4, error: 'exit status 4', stdout: 'out\n', stderr: 'err\n' },
          'the result',
        );
        equal(await command.finished(), result, 'asked again');
        const error = await rejects(command.wait(), errors.CommandExitError, 'command_exit');
        equal(error.exitCode, 4, 'exit code');
        ok(command instanceof errors.SandboxError === false, 'it is a handle');
      },
    },
    {
      name: 'is kept up to maxRetainedBytes: the newest, and what was let go is counted',
      async run({ sandbox, errors }) {
        const { commands } = await sandbox();
        const line = 'seq -w 1 99999; echo failed >&2; exit 1';
        const command = await commands.run(line, { background: true, maxRetainedBytes: 1_000 });
        const result = await command.finished();
        const { stdout, stderr, dropped } = result;
        equal(stdout.length + stderr.length, 1_000, 'what is kept');
        equal(stdout.length + (dropped?.stdout ?? 0), 6 * 99_999, 'stdout, kept and let go');
        equal(stderr.length + (dropped?.stderr ?? 0), 7, 'stderr, kept and let go');
        ok(stdout.endsWith('99998\n99999\n') || (dropped?.stdout ?? 0) > 599_000, 'the newest');
        equal(command.dropped, dropped ?? { stdout: 0, stderr: 0 }, 'the same of the handle');
        const late: string[] = [];
        for await (const event of command) {
          late.push(event.type === 'gap' ? `gap ${event.bytes}` : event.type);
        }
        equal(late[0], `gap ${(dropped?.stdout ?? 0) + (dropped?.stderr ?? 0)}`, 'a late loop begins with');
        const error = await rejects(command.wait(), errors.CommandExitError);
        equal(error.dropped, dropped, 'the same of the error');
        const whole = await commands.run('seq 3', { maxRetainedBytes: 6 });
        equal([whole.stdout, whole.dropped], ['1\n2\n3\n', undefined], 'what is small enough');
      },
    },
    {
      name: 'is heard in full by those who listen, however little is kept',
      async run({ sandbox }) {
        const { commands } = await sandbox();
        let heard = 0;
        const command = await commands.run('yes 終わり | head -c 3000000', {
          background: true,
          maxRetainedBytes: 0,
          onStdout: (text) => {
            heard += new TextEncoder().encode(text).length;
          },
        });
        let seen = 0;
        for await (const event of command) if (event.type === 'stdout') seen += event.bytes.length;
        equal([heard, seen], [3_000_000, 3_000_000], 'bytes by callback, bytes by loop');
        const { stdout, dropped } = await command.finished();
        equal([stdout, dropped?.stdout], ['', 3_000_000], 'what is kept, what was let go');
      },
    },
    {
      name: 'never begins in the middle of a character, however much is let go',
      async run({ sandbox }) {
        const { commands } = await sandbox();
        for (const maxRetainedBytes of [7, 8, 9, 10]) {
          const { stdout } = await commands.run("printf '終わり🦀終わり🦀'", { maxRetainedBytes });
          ok(
            !stdout.includes('\ufffd') && '終わり🦀'.endsWith(stdout),
            `${maxRetainedBytes} bytes: ${stdout}`,
          );
        }
      },
    },
    {
      name: 'comes to many loops at once, also to one that comes late',
      async run({ sandbox }) {
        const { commands } = await sandbox();
        const command = await commands.run('for i in 1 2 3 4 5; do echo $i; sleep 0.05; done', {
          background: true,
        });
        const read = async (stopAt?: number): Promise<string> => {
          let text = '';
          for await (const event of command) {
            if (event.type === 'stdout') text += event.data;
            if (stopAt && text.length >= stopAt) break;
          }
          return text;
        };
        const texts = await Promise.all([read(), read(4), read(), read()]);
        equal([texts[0], texts[2], texts[3]], Array(3).fill('1\n2\n3\n4\n5\n'), 'whole loops');
        ok(texts[1]?.startsWith('1\n2\n'), 'the loop that was left');
        equal(await read(), '1\n2\n3\n4\n5\n', 'a late loop');
        equal(command.gaps, 0, 'gaps');
      },
    },
  ],
};
