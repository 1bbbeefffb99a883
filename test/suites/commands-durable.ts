import { equal, ok, rejects, until } from './assert.js';
import type { Suite } from './case.js';

const durable = { background: true, durable: true } as const;

export const commandsDurable: Suite = {
  name: 'durable commands',
  cases: [
    {
      name: 'are had with all of their output, by another program, from anywhere',
      via: 'key',
      programs: ['fallocate'],
      async run({ sandbox, edge, key }) {
        const { commands, sandboxId } = await sandbox();
        const command = await commands.run('echo out; echo err >&2; exit 3', durable);
        const { exitCode, stdout, stderr } = await command.finished();
        equal([exitCode, stdout, stderr], [3, 'out\n', 'err\n'], 'result');
        const other = await edge.Sandbox.connect(sandboxId, key);
        const attached = await other.commands.attach(command.durableId, { from: { stdout: 2, stderr: 4 } });
        const rest = await attached.finished();
        equal([rest.exitCode, rest.stdout, rest.stderr], [3, 't\n', ''], 'the rest');
        equal(attached.offsets, { stdout: 4, stderr: 4 }, 'offsets');
      },
    },
    {
      name: 'have no gap when the stream of their reader is cut',
      via: 'key',
      async run(context) {
        const { commands, files, sandboxId } = await context.sandbox(context.env.observed);
        const waiting =
          'for n in 1 2 3; do echo $n; while [ ! -e $n ]; do sleep 0.02; done; done; echo end >&2';
        const command = await commands.run(waiting, durable);
        for (const n of ['1', '2', '3']) {
          await until(() => command.stdout.endsWith(`${n}\n`), `line ${n}`);
          await context.observer.cut(sandboxId, '/process.Process/Start');
          await files.write(n, '');
        }
        const result = await command.finished();
        equal([result.exitCode, result.stdout, result.stderr], [0, '1\n2\n3\n', 'end\n'], 'result');
        ok(!('gaps' in result), 'gaps');
      },
    },
    {
      name: 'are killed, listed and removed',
      via: 'key',
      async run({ sandbox, errors }) {
        const { commands } = await sandbox();
        const command = await commands.run('sleep 60', durable);
        const running = (await commands.list()).map(({ durableId }) => durableId);
        equal(running, [command.durableId], 'what list shows');
        ok(await command.kill(), 'kill');
        equal((await command.finished()).error, 'signal: killed', 'error');
        const ended = (await commands.listDurable()).map(({ command, running }) => [command, running]);
        equal(ended, [['sleep 60', false]], 'what listDurable shows');
        ok(await command.remove(), 'remove');
        await rejects(() => commands.attach(command.durableId), errors.NotFoundError, 'process_not_found');
      },
    },
    {
      name: 'are told what they read, and read in a loop',
      via: 'key',
      async run({ sandbox }) {
        const { commands } = await sandbox();
        const command = await commands.run('cat; echo end >&2', { ...durable, stdin: true });
        await command.sendStdin('one\n');
        await command.sendStdin(new TextEncoder().encode('two\n'));
        await command.closeStdin();
        const said = { stdout: '', stderr: '' };
        for await (const event of command) {
          if (event.type === 'stdout' || event.type === 'stderr') said[event.type] += event.data;
        }
        equal(said, { stdout: 'one\ntwo\n', stderr: 'end\n' }, 'what the loop saw');
        equal((await command.finished()).exitCode, 0, 'exit code');
      },
    },
    {
      name: 'go on without their handle, and are waited for',
      via: 'key',
      async run({ sandbox, errors }) {
        const { commands, files } = await sandbox();
        const left = await commands.run('until [ -e go ]; do sleep 0.02; done; echo gone; exit 4', durable);
        left.disconnect();
        await files.write('go', '');
        const command = await commands.attach(left.durableId);
        await rejects(() => command.wait(), errors.CommandExitError, 'command_exit');
        equal([command.exitCode, command.stdout], [4, 'gone\n'], 'result');
      },
    },
    {
      name: 'need an API key',
      via: 'session',
      async run({ sandbox, errors }) {
        const { commands, pty } = await sandbox();
        await rejects(() => commands.run('true', durable), errors.InvalidArgumentError, 'durable_needs_key');
        await rejects(() => commands.attach('x'), errors.InvalidArgumentError, 'durable_needs_key');
        const size = { cols: 80, rows: 24 };
        await rejects(
          () => pty.create({ ...size, durable: true, transport: 'connect' }),
          errors.InvalidArgumentError,
          'durable_needs_key',
        );
        const plain = await pty.create({ ...size, durable: 'auto', transport: 'connect' });
        ok(!plain.durable, 'durable');
        await plain.kill();
      },
    },
  ],
};

export const ptyDurable: Suite = {
  name: 'durable terminals',
  cases: [
    {
      name: 'lose nothing when their stream is cut, and are taken up by another program with all of it',
      via: 'key',
      programs: ['script'],
      async run(context) {
        const { pty, sandboxId } = await context.sandbox(context.env.observed);
        let seen = '';
        const terminal = await pty.create({
          cols: 80,
          rows: 24,
          durable: true,
          onData: (data) => {
            seen += new TextDecoder().decode(data);
          },
        });
        const { durableId = '' } = terminal;
        await terminal.send('seq 1 3000 | while read n; do echo "line $n"; done; echo d""one\n');
        for (const n of [100, 1000]) {
          await until(() => seen.includes(`line ${n}\r\n`), `line ${n}`);
          await context.observer.cut(sandboxId, '/process.Process/Start');
        }
        await until(() => seen.includes('done\r\n'), 'the end of the lines');
        const lines = Array.from({ length: 3000 }, (_, index) => `line ${index + 1}\r\n`).join('');
        ok(seen.includes(lines), 'every line, once and in order');

        const other = await context.edge.Sandbox.connect(sandboxId, context.key);
        equal(
          (await other.pty.list()).map((info) => [info.durableId, info.running]),
          [[durableId, true]],
          'list',
        );
        let again = '';
        const taken = await other.pty.connect(durableId, {
          onData: (data) => {
            again += new TextDecoder().decode(data);
          },
        });
        await taken.send('exit 4\n');
        equal((await taken.finished()).exitCode, 4, 'exit code');
        equal((await terminal.finished()).exitCode, 4, 'exit code of the first handle');
        equal(again, seen, 'what both saw');
      },
    },
    {
      name: 'are kept by a relay, and taken up with what was printed before',
      via: 'session',
      programs: ['script'],
      async run({ sandbox }) {
        const { pty } = await sandbox();
        const decoder = new TextDecoder();
        let seen = '';
        const size = { cols: 80, rows: 24 };
        const terminal = await pty.create({ ...size, durable: true, transport: 'websocket' });
        ok(terminal.durable && terminal.durableId, 'durable');
        await terminal.send('echo "fi""rst"\n');
        const second = await pty.connect(terminal.pid, {
          ...size,
          transport: 'websocket',
          onData: (data) => {
            seen += decoder.decode(data, { stream: true });
          },
        });
        await until(() => seen.includes('first\r\n'), 'what was printed before');
        equal(second.durableId, terminal.durableId, 'durableId');
        await second.send('exit 5\n');
        equal((await second.finished()).exitCode, 5, 'exit code');
        ok(seen.includes('exit 5\r\n'), 'echo');
      },
    },
    {
      name: 'are refused at once where their log has no place',
      programs: ['script'],
      async run({ sandbox, errors }) {
        const { pty } = await sandbox();
        const size = { cols: 80, rows: 24 };
        const before = Date.now();
        await rejects(
          () => pty.create({ ...size, durable: true, maxLogBytes: 2 ** 43 }),
          errors.NotEnoughSpaceError,
          'not_enough_space',
        );
        ok(Date.now() - before < 10_000, 'within ten seconds');
      },
    },
    {
      name: 'end when their session kills them',
      via: 'session',
      programs: ['script'],
      async run({ sandbox }) {
        const { pty, commands } = await sandbox();
        const terminal = await pty.create({ cols: 80, rows: 24, durable: 'auto', transport: 'websocket' });
        ok(terminal.durable, 'durable');
        ok(await terminal.kill(), 'kill');
        equal((await terminal.finished()).exitCode, -1, 'exit code');
        const left = async () => (await commands.run("pgrep -c '^script$' || true")).stdout;
        await until(async () => (await left()) === '0\n', 'its shell is gone');
      },
    },
    {
      name: 'are killed',
      via: 'key',
      programs: ['script'],
      async run({ sandbox }) {
        const { pty } = await sandbox();
        const terminal = await pty.create({ cols: 80, rows: 24, durable: 'auto' });
        ok(terminal.durable, 'durable');
        ok(await terminal.kill(), 'kill');
        equal((await terminal.finished()).error, 'signal: killed', 'error');
      },
    },
  ],
};
