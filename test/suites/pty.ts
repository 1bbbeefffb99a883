import { equal, ok, rejects, sha256, until } from './assert.js';
import type { Case, Suite } from './case.js';
import { Screen } from './screen.js';

const size = { cols: 80, rows: 24 };
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The same cases, whichever way the bytes travel. */
function terminals(transport: 'connect' | 'websocket'): Case[] {
  return [
    {
      name: 'run a shell of the size asked for',
      async run(context) {
        const sandbox = await context.sandbox();
        const terminal = await sandbox.pty.create({ ...size, transport });
        ok(terminal.pid > 0, `pid is ${terminal.pid}`);
        const screen = new Screen(terminal);
        ok((await screen.type('stty size; echo "$TERM"\n', 'xterm-256color')).includes('24 80'), 'stty size');
        await terminal.kill();
      },
    },
    {
      name: 'take a new size',
      async run({ sandbox }) {
        const terminal = await (await sandbox()).pty.create({ ...size, transport });
        const screen = new Screen(terminal);
        await screen.type('echo re""ady\n', 'ready');
        terminal.channel.resize({ cols: 133, rows: 41 });
        await until(
          async () => (await screen.type('stty size\n', /\d+ \d+\r/)).includes('41 133'),
          'the new size',
        );
        await terminal.kill();
      },
    },
    {
      name: 'end with the exit code of the shell',
      async run({ sandbox }) {
        const terminal = await (await sandbox()).pty.create({ ...size, transport });
        const screen = new Screen(terminal);
        await terminal.channel.send(encode('exit 5\n'));
        equal(await screen.toExit(), 5, 'exit code');
        equal(terminal.channel.status.state, 'closed', 'status');
      },
    },
    {
      name: 'end when they are killed',
      async run({ sandbox }) {
        const { pty } = await sandbox();
        const terminal = await pty.create({ ...size, transport });
        const screen = new Screen(terminal);
        await screen.type('echo re""ady\n', 'ready');
        equal(await pty.kill(terminal.pid), true, 'the first kill');
        equal(await screen.toExit(), -1, 'exit code');
        equal(await pty.kill(terminal.pid), false, 'the second kill');
      },
    },
    {
      name: 'interrupt a program by Ctrl-C',
      async run({ sandbox }) {
        const terminal = await (await sandbox()).pty.create({ ...size, transport });
        const screen = new Screen(terminal);
        // A program that prints is in the foreground; one that bash is about to start may not be yet.
        await screen.type('sh -c \'echo be""gin; exec sleep 600\'\n', 'begin');
        await screen.type('\u0003', '^C');
        await screen.type('echo re""ady $?\n', 'ready 130');
        await terminal.kill();
      },
    },
    {
      name: 'carry a megabyte of bytes of every value whole',
      async run({ sandbox }) {
        const { pty, commands } = await sandbox();
        await commands.run('head -c 1000000 /dev/urandom > noise');
        const digest = (await commands.run('sha256sum < noise')).stdout.slice(0, 64);
        const terminal = await pty.create({ ...size, transport });
        const screen = new Screen(terminal);
        // Raw, or the terminal would turn every newline into two bytes. What is typed is not in the output.
        await screen.type(
          "stty raw -echo; printf 'be%s' gin; sleep 0.2; cat noise; printf 'e%s' nd; exit\n",
          'begin',
        );
        await screen.toExit();
        const all = new Uint8Array(await new Blob(screen.bytes.map((part) => part.slice())).arrayBuffer());
        const from = indexOf(all, encode('begin')) + 5;
        const noise = all.slice(from, from + 1_000_000);
        equal(noise.length, 1_000_000, 'length');
        equal(await sha256(noise), digest, 'digest');
        equal(
          new TextDecoder().decode(all.slice(from + 1_000_000, from + 1_000_003)),
          'end',
          'what comes after',
        );
      },
    },
    {
      name: 'keep the order of what is typed without waiting',
      async run({ sandbox }) {
        const terminal = await (await sandbox()).pty.create({ ...size, transport });
        const screen = new Screen(terminal);
        await screen.type('stty -echo; echo re""ady\n', 'ready');
        const letters = Array.from({ length: 300 }, (_, index) => String.fromCharCode(97 + (index % 26)));
        await Promise.all([...letters, '\n'].map((letter) => terminal.channel.send(encode(letter))));
        await screen.until(`${letters.join('').slice(0, 40)}`);
        await terminal.kill();
      },
    },
    {
      name: 'count offsets without a gap',
      async run({ sandbox }) {
        const terminal = await (await sandbox()).pty.create({ ...size, transport });
        await terminal.channel.send(encode('seq 1 3000; exit\n'));
        let expected: number | undefined;
        for await (const event of terminal.channel) {
          if (event.type !== 'output') continue;
          equal(event.offset, expected ?? event.offset, 'offset');
          expected = event.offset + event.data.length;
          terminal.channel.ack(expected);
        }
        ok((expected ?? 0) > 13_000, `${expected} bytes`);
      },
    },
    {
      name: 'are connected to again by pid',
      async run({ sandbox }) {
        const { pty } = await sandbox();
        const terminal = await pty.create({ ...size, transport });
        const screen = new Screen(terminal);
        await screen.type('KEPT=in-the-shell; echo re""ady\n', 'ready');
        terminal.disconnect();
        const again = await pty.connect(terminal.pid, { transport });
        equal(again.pid, terminal.pid, 'pid');
        await new Screen(again).type('echo "=$KEPT="\n', '=in-the-shell=');
        await again.kill();
      },
    },
    {
      name: 'say that a terminal is not there',
      async run({ sandbox, errors }) {
        const { pty } = await sandbox();
        await rejects(pty.connect(999_999, { transport }), errors.NotFoundError, 'process_not_found');
      },
    },
    {
      name: 'serve the calls that the official SDK has',
      async run({ sandbox }) {
        const { pty } = await sandbox();
        let text = '';
        const decoder = new TextDecoder();
        const terminal = await pty.create({
          ...size,
          transport,
          onData: (data) => {
            text += decoder.decode(data, { stream: true });
          },
        });
        await pty.sendInput(terminal.pid, encode('echo re""ady\n'));
        await until(() => text.includes('ready'), 'the output by onData');
        await pty.resize(terminal.pid, { cols: 100, rows: 30 });
        await until(async () => {
          await pty.sendInput(terminal.pid, encode('stty size\n'));
          return text.includes('30 100');
        }, 'the new size');
        await pty.sendInput(terminal.pid, encode('exit 0\n'));
        equal((await terminal.wait()).exitCode, 0, 'exit code');
      },
    },
    {
      name: 'run vim, which draws the whole screen',
      async run({ sandbox }) {
        const { pty, files, commands } = await sandbox();
        const { exitCode } = await commands.run('command -v vim').catch(() => ({ exitCode: 1 }));
        const editor = exitCode === 0 ? 'vim -u NONE -N' : 'vi';
        const terminal = await pty.create({ ...size, transport });
        const screen = new Screen(terminal);
        await screen.type(`${editor} note.txt\n`, '~');
        await screen.type('ihello from the editor\u001b', 'editor');
        await terminal.channel.send(encode(':wq\n'));
        await until(async () => await files.exists('note.txt'), 'the file');
        await until(async () => (await files.read('note.txt')) === 'hello from the editor\n', 'its text');
        await terminal.kill();
      },
    },
  ];
}

/** A session's terminals can travel both ways; with the API key there is no broker, and so no WebSocket. */
export const ptyConnect: Suite = { name: 'terminals by Connect', cases: terminals('connect') };

export const ptyWebSocket: Suite = {
  name: 'terminals by WebSocket',
  cases: terminals('websocket').map((one) => ({ ...one, via: 'session' })),
};

function indexOf(haystack: Uint8Array, needle: Uint8Array): number {
  for (let at = 0; at + needle.length <= haystack.length; at++) {
    if (needle.every((byte, index) => haystack[at + index] === byte)) return at;
  }
  throw new Error('not found');
}
