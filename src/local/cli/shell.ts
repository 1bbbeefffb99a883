import type { PtyHandle } from '../../sandbox/pty-handle.js';
import { type Command, say, UsageError } from './command.js';
import { exitCodeOf } from './exit-code.js';
import { holdSandbox } from './held-sandbox.js';
import { parseProgramOptions, programOptionsHelp } from './program-options.js';
import { write } from './write.js';

const help = `Usage: e2b-edge shell [ID] [options]

Opens a terminal in a sandbox: bash, as after a login. It ends with \`exit\` or Ctrl-D, and so does this command, with the
shell's exit code. Without an ID a sandbox is created, and killed at the end.

Options:
${programOptionsHelp}

Examples:
  e2b-edge shell
  e2b-edge shell i0h3m5x8k2q9w7e4r6t1 --user root
`;

const ctrlC = 3;

export const shell: Command = {
  summary: 'open a terminal in a sandbox',
  help,
  async run(args) {
    if (args.includes('--')) throw new UsageError('a shell takes no program: use exec');
    const { id, template, start, json } = parseProgramOptions(args);
    if (json) throw new UsageError('a terminal has no JSON: use exec');
    if (!process.stdin.isTTY || !process.stdout.isTTY) {
      throw new UsageError('this is no terminal: use exec in scripts and pipes');
    }
    const { sandbox, signals, release } = await holdSandbox(id, template);
    try {
      const pty = await sandbox.pty.create({ ...start, ...sizeOf(process.stdout) });
      signals.passTo(() => void pty.kill().catch(() => pty.channel.close()));
      return await follow(pty);
    } finally {
      await release();
    }
  },
};

async function follow(pty: PtyHandle): Promise<number> {
  const { stdin, stdout } = process;
  const undo = attach(pty);
  let code: number | undefined;
  try {
    for await (const event of pty) {
      if (event.type === 'output') await write(stdout, event.data);
      else if (event.type === 'gap') notice(`output is missing: ${event.reason}`);
      else if (event.type === 'exit') code = exitCodeOf(event);
    }
  } finally {
    undo();
    stdin.destroy();
  }
  if (code !== undefined) return code;
  say('the terminal was left');
  return givenUp;
}

/** What shells say of what Ctrl-C ended. */
const givenUp = 130;

/** Joins this terminal to the sandbox's. Returns what makes this one as it was. */
function attach(pty: PtyHandle): () => void {
  const { stdin, stdout } = process;
  const { channel } = pty;
  const send = (data: Buffer): void => {
    if (channel.status.state === 'open') pty.send(data).catch((error: Error) => notice(error.message));
    // Nothing else could end a terminal whose server does not come back.
    else if (data.includes(ctrlC)) channel.close();
  };
  const resize = (): void => pty.resize(sizeOf(stdout));
  let wasOpen = true;
  const forget = channel.onStatus(({ state }) => {
    if (state === 'reconnecting' && wasOpen) notice('the connection is lost; trying again (Ctrl-C gives up)');
    wasOpen = state === 'open';
  });
  stdin.setRawMode(true);
  stdin.on('data', send);
  stdout.on('resize', resize);
  return () => {
    forget();
    stdin.off('data', send);
    stdout.off('resize', resize);
    stdin.setRawMode(false);
  };
}

/** In a raw terminal a new line does not begin at the left by itself. */
function notice(message: string): void {
  process.stderr.write(`\r\n[e2b-edge: ${message}]\r\n`);
}

function sizeOf({ columns = 80, rows = 24 }: { columns?: number; rows?: number }): {
  cols: number;
  rows: number;
} {
  // Some terminals say 0 before they have been drawn.
  return { cols: columns || 80, rows: rows || 24 };
}
