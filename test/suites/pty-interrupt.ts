import { equal, ok, rejects } from './assert.js';
import type { Case, Context, Suite } from './case.js';
import { Screen } from './screen.js';

const size = { cols: 80, rows: 24 };
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const ctrlC = '\u0003';

/** Far more than a terminal takes in for a program that does not read. Whatever is executed of it leaves a file. */
const paste = encode('touch executed\n'.repeat(70_000));

/** `script` takes in all that is pasted, though nobody reads it. */
const durable = (transport: 'connect' | 'websocket'): Case => ({
  name: 'reach a program in a durable terminal that does not read, past a paste that nobody has read',
  programs: ['script'],
  via: transport === 'websocket' ? 'session' : 'key',
  async run(context) {
    const sandbox = await context.sandbox();
    const terminal = await sandbox.pty.create({ ...size, transport, durable: true });
    const screen = new Screen(terminal);
    await screen.type(`sh -c 'echo be""gin; exec sleep 600'\n`, 'begin');
    await terminal.send(paste);
    await terminal.send(ctrlC);
    await screen.type('echo "ba""ck $?"\n', 'back 130\r\n');
    ok(!(await sandbox.files.exists('executed')), 'nothing of the paste was executed');
    await terminal.kill();
  },
});

function interrupts(transport: 'connect' | 'websocket'): Case[] {
  /** A terminal in which a program runs that has printed `begin`. */
  async function running(context: Context, program: string) {
    const sandbox = await context.sandbox();
    const terminal = await sandbox.pty.create({ ...size, transport });
    const screen = new Screen(terminal);
    await screen.type(`sh -c 'echo be""gin; ${program}'\n`, 'begin');
    return { sandbox, terminal, screen };
  }

  /** Pastes much, presses a key behind it, and waits for the prompt. */
  async function pasteAndPress(context: Context, program: string, key: string, status: string) {
    const { sandbox, terminal, screen } = await running(context, program);
    const pasted = rejects(terminal.send(paste), context.errors.ConnectionError, 'input_not_executed');
    // Its echo: it is on its way.
    await screen.until('touch executed');
    const pressed = terminal.send(key);
    const line = `echo "ba""ck $?"\n`;
    const back = screen.until(`back ${status}\r\n`);
    await pasted;
    await pressed;
    await terminal.send(line);
    await back;
    return { sandbox, terminal, screen };
  }

  return [
    {
      name: 'reach a program that does not read, past a paste that is not executed',
      async run(context) {
        const { sandbox, terminal } = await pasteAndPress(context, 'exec sleep 600', ctrlC, '130');
        ok(!(await sandbox.files.exists('executed')), 'nothing of the paste was executed');
        const running = await sandbox.commands.list();
        equal(
          running.map(({ pid }) => pid),
          [terminal.pid],
          'what is listed',
        );
        await terminal.kill();
      },
    },
    {
      name: 'suspend a program that does not read, by Ctrl-Z',
      async run(context) {
        const { sandbox, terminal, screen } = await pasteAndPress(context, 'exec sleep 600', '\u001a', '148');
        ok((await screen.type('jobs\n', 'Stopped')).includes('sleep 600'), 'the job');
        ok(!(await sandbox.files.exists('executed')), 'nothing of the paste was executed');
        await terminal.kill();
      },
    },
    {
      name: 'quit a program that does not read, by Ctrl-\\',
      async run(context) {
        const { terminal } = await pasteAndPress(context, 'ulimit -c 0; exec sleep 600', '\u001c', '131');
        await terminal.kill();
      },
    },
    {
      name: 'are input, in its order, to a program that wants them so and reads late',
      async run(context) {
        const { screen, terminal } = await running(
          context,
          'stty raw -echo; echo ra""w; sleep 2; head -c 16001 | tail -c 3 | od -An -tx1; stty sane',
        );
        await screen.until('raw\n');
        const pasted = terminal.send(encode('x'.repeat(16_000)));
        await new Promise((resolve) => setTimeout(resolve, 100));
        const pressed = terminal.send(ctrlC);
        await screen.until(' 78 78 03');
        await Promise.all([pasted, pressed]);
        await terminal.kill();
      },
    },
    {
      name: 'are input to a program that wants them so and reads',
      async run(context) {
        const { screen, terminal } = await running(
          context,
          'stty raw -echo; echo ra""w; head -c 3 | od -An -tx1; stty sane',
        );
        await screen.until('raw\n');
        for (const key of ['\u0003', '\u001a', '\u001c']) await terminal.send(key);
        await screen.until(' 03 1a 1c');
        await terminal.kill();
      },
    },
    {
      name: 'signal the program of a terminal that is to keep what is unread',
      async run(context) {
        const { terminal, screen } = await running(context, 'stty noflsh; exec sleep 600');
        const lines = encode('echo ke""pt\n'.repeat(2_000));
        const pasted = terminal.send(lines).catch((error: unknown) => error);
        await screen.until('ke""pt');
        await terminal.send(ctrlC);
        await screen.until('kept\r\n');
        await pasted;
        await terminal.kill();
      },
    },
  ];
}

/** What is on its way in sockets, of envd's and of the page's, still comes: some megabytes where they are of one machine. */
const flood: Case = {
  name: 'end a flood with little of it to come',
  async run(context) {
    const sandbox = await context.sandbox();
    const terminal = await sandbox.pty.create({ ...size, transport: 'websocket' });
    const screen = new Screen(terminal);
    await screen.type('yes\n', 'y\r\ny\r\n');
    while (screen.text.length < 3_000_000) await screen.until('y\r\n', screen.text.length);
    const before = screen.text.length;
    await terminal.send(ctrlC);
    await screen.until('^C', before);
    ok(screen.text.length - before < 16_000_000, `${screen.text.length - before} bytes came after Ctrl-C`);
    await screen.type('echo ba""ck $?\n', 'back 130');
    await terminal.kill();
  },
};

export const interruptConnect: Suite = {
  name: 'interrupt keys by Connect',
  cases: [...interrupts('connect'), durable('connect')],
};

export const interruptWebSocket: Suite = {
  name: 'interrupt keys by WebSocket',
  cases: [...interrupts('websocket'), durable('websocket'), flood].map((one) => ({ ...one, via: 'session' })),
};
