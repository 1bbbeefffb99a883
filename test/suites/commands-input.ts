import { equal, ok, patternBytes, rejects, sha256, until } from './assert.js';
import type { Suite } from './case.js';

const encode = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

/** Gives a piece each time that it is asked, and counts. */
function source(pieces: Uint8Array<ArrayBuffer>[], state = { pulled: 0, cancelled: false }) {
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const piece = pieces[state.pulled++];
        if (piece) controller.enqueue(piece);
        else controller.close();
      },
      cancel() {
        state.cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, state };
}

async function* lines(count: number): AsyncGenerator<string, void, undefined> {
  for (let index = 1; index <= count; index++) yield `line ${index}\n`;
}

export const commandsInput: Suite = {
  name: 'input of commands',
  cases: [
    {
      name: 'is text, bytes or a stream, and then it ends',
      async run({ sandbox }) {
        const { commands } = await sandbox();
        const stdout = async (stdin: Parameters<typeof commands.sendStdin>[1]): Promise<string> =>
          (await commands.run('cat; echo "[end]"', { stdin })).stdout;
        equal(await stdout('終わり🦀'), '終わり🦀[end]\n', 'text');
        equal(await stdout(encode('bytes')), 'bytes[end]\n', 'bytes');
        equal(await stdout(new Blob(['of a ', 'blob']).stream()), 'of a blob[end]\n', 'a stream');
        equal(await stdout(lines(3)), 'line 1\nline 2\nline 3\n[end]\n', 'an iterable of text');
        equal(await stdout(''), '[end]\n', 'no text');
        equal(await stdout(source([]).stream), '[end]\n', 'an empty stream');
      },
    },
    {
      name: 'is as large as it likes, and arrives whole',
      async run({ sandbox }) {
        const { commands } = await sandbox();
        const piece = patternBytes(1_000_003);
        const pieces = Array.from({ length: 8 }, () => piece);
        const all = new Uint8Array(await new Blob(pieces).arrayBuffer());
        const digest = `${await sha256(all)}  -\n`;
        equal((await commands.run('sha256sum', { stdin: all })).stdout, digest, 'bytes');
        equal((await commands.run('sha256sum', { stdin: source(pieces).stream })).stdout, digest, 'a stream');
      },
    },
    {
      name: 'is read from a stream no faster than the command reads',
      async run({ sandbox, runtime }) {
        const { commands } = await sandbox();
        const { stream, state } = source(Array.from({ length: 50 }, () => patternBytes(256 * 1024)));
        const command = await commands.run('head -c 1000000 > /dev/null; exec sleep 30', {
          background: true,
          stdin: stream,
        });
        let before = -1;
        await until(async () => {
          const still = state.pulled === before && before > 0;
          before = state.pulled;
          await new Promise((resolve) => setTimeout(resolve, 300));
          return still;
        }, 'the stream stands still');
        ok(state.pulled < 15, `${state.pulled} of 50 pieces were read in ${runtime}`);
        await command.kill();
        await command.finished();
        await until(() => state.cancelled, 'the stream is cancelled');
      },
    },
    {
      name: 'that a command does not want is no failure',
      async run({ sandbox }) {
        const { commands } = await sandbox();
        const { stream, state } = source(Array.from({ length: 50 }, () => patternBytes(256 * 1024)));
        equal((await commands.run('head -c 5 | wc -c', { stdin: stream })).stdout, '5\n', 'stdout');
        await until(() => state.cancelled, 'the stream is cancelled');
        equal(
          (await commands.run('echo deaf', { stdin: patternBytes(2_000_000) })).stdout,
          'deaf\n',
          'stdout',
        );
      },
    },
    {
      name: 'that fails half-way kills the command, and is what waiting for it gives',
      async run({ sandbox }) {
        const { commands } = await sandbox();
        const failure = new Error('the source dried up');
        async function* dry(): AsyncGenerator<string, void, undefined> {
          yield 'half';
          throw failure;
        }
        const command = await commands.run('cat; echo whole', { background: true, stdin: dry() });
        ok((await command.finished().catch((error: unknown) => error)) === failure, 'what it threw');
        equal([command.exitCode === 0, command.stdout.includes('whole')], [false, false], 'no success');
      },
    },
    {
      name: 'keeps the order of streams and of what is sent after them',
      async run({ sandbox }) {
        const { commands } = await sandbox();
        const command = await commands.run('cat', { background: true, stdin: true });
        void command.sendStdin('first\n');
        void command.sendStdin(lines(20));
        void commands.sendStdin(command.pid, source([encode('second\n'), encode('third\n')]).stream);
        await command.sendStdin('last\n');
        await command.closeStdin();
        let expected = 'first\n';
        for await (const line of lines(20)) expected += line;
        equal((await command.wait()).stdout, `${expected}second\nthird\nlast\n`, 'what came back');
      },
    },
    {
      name: 'that a command does not take is given up when its time is over, and what follows it is not sent',
      async run({ sandbox, errors }) {
        const { commands } = await sandbox();
        const command = await commands.run('sleep 30', { background: true, stdin: true });
        const stuck = command.sendStdin(patternBytes(1_000_000), { requestTimeoutMs: 500 });
        const behind = command.sendStdin('behind');
        const error = await rejects(stuck, errors.ConnectionError, 'input_uncertain');
        ok(error.message.includes('requestTimeoutMs'), `the message names the option: ${error.message}`);
        await rejects(behind, errors.ConnectionError, 'input_not_executed');
        await command.kill();
      },
    },
    {
      name: 'is given up by its signal: what waits is taken back, and nothing else',
      async run({ sandbox }) {
        const { commands } = await sandbox();
        const reason = new Error('changed my mind');
        const command = await commands.run('sleep 1; cat', { background: true, stdin: true });
        // Fills the pipe, so that the rest waits until the command reads.
        const first = command.sendStdin('x'.repeat(300_000));
        const abort = new AbortController();
        const taken = command.sendStdin('never', { signal: abort.signal });
        const last = command.sendStdin('last');
        abort.abort(reason);
        ok((await taken.catch((error: unknown) => error)) === reason, 'the reason of the signal');
        await Promise.all([first, last]);
        await command.closeStdin();
        ok((await command.wait()).stdout.endsWith('xlast'), 'the others arrived');
      },
    },
    {
      name: 'is refused by a command that was started without, and by a terminal',
      async run({ sandbox, errors }) {
        const { commands, pty } = await sandbox();
        const command = await commands.run('sleep 30', { background: true });
        await rejects(command.sendStdin('x'), errors.SandboxError, 'internal');
        await command.kill();
        const terminal = await pty.create({ cols: 80, rows: 24 });
        await rejects(terminal.sendStdin(), errors.SandboxError, 'not_supported');
        await rejects(terminal.closeStdin(), errors.SandboxError, 'not_supported');
        await terminal.kill();
      },
    },
  ],
};
