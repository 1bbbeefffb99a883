import type { Readable, Writable } from 'node:stream';
import type { Sandbox } from '../../control/sandbox.js';
import type { RunningCommand } from '../../sandbox/running-command.js';
import { type Command, printJson, UsageError } from './command.js';
import { exitCodeOf } from './exit-code.js';
import { holdSandbox } from './held-sandbox.js';
import { parseProgramOptions, programOptionsHelp } from './program-options.js';
import type { SignalQueue } from './signal-queue.js';
import { write } from './write.js';

const help = `Usage: e2b-edge exec [ID] [options] -- PROGRAM [ARGUMENT...]

Runs a program in a sandbox: with this command's input, output and errors, and its exit code. Arguments are passed on as
they are; a shell's line is \`-- sh -c 'echo $HOME | rev'\`. SIGINT, SIGTERM and SIGHUP are passed on; a second one
kills the program. Without an ID a sandbox is created, and killed at the end.

Options:
${programOptionsHelp}
  --json            print one line of JSON at the end: {"sandboxId":…,"exitCode":…,"stdout":…,"stderr":…}

Examples:
  e2b-edge exec -- python3 -V
  e2b-edge exec i0h3m5x8k2q9w7e4r6t1 --cwd /tmp -- ls -la
  tar c src | e2b-edge exec i0h3m5x8k2q9w7e4r6t1 -- tar x
`;

export const exec: Command = {
  summary: 'run a program in a sandbox',
  help,
  async run(args) {
    const separator = args.indexOf('--');
    const program = separator < 0 ? [] : args.slice(separator + 1);
    if (program.length === 0) throw new UsageError('no program given: it stands behind --');
    const { id, template, start, json } = parseProgramOptions(args.slice(0, separator));
    const { sandbox, signals, release } = await holdSandbox(id, template);
    try {
      // The program takes the shell's place, so that signals and the exit status are its own.
      const line = `exec ${program.map(quoted).join(' ')}`;
      const running = {
        ...start,
        background: true,
        stdin: true,
        ...(!json && { maxRetainedBytes: 0 }),
      } as const;
      const command = await sandbox.commands.run(line, running);
      passSignals(signals, sandbox, command);
      return await follow(sandbox, command, json);
    } finally {
      await release();
    }
  },
};

async function follow(sandbox: Sandbox, command: RunningCommand, json: boolean): Promise<number> {
  const sinks: Record<'stdout' | 'stderr', Writable> = { stdout: process.stdout, stderr: process.stderr };
  void passInput(process.stdin, command);
  let code = 0;
  try {
    for await (const event of command) {
      if (event.type === 'exit') code = exitCodeOf(event);
      else if (event.type === 'gap')
        process.stderr.write(`e2b-edge: some output is missing: ${event.reason}\n`);
      else if (!json) await write(sinks[event.type], event.bytes);
    }
  } catch (error) {
    // Whoever reads our output has left, and the program would write for nobody.
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') {
      await command.kill();
      return brokenPipe;
    }
    throw error;
  } finally {
    // Nobody reads it any more, and open it would keep us here.
    process.stdin.destroy();
  }
  const { stdout, stderr } = command;
  if (json) printJson({ sandboxId: sandbox.sandboxId, exitCode: code, stdout, stderr });
  return code;
}

const brokenPipe = 141;

/** Sends what comes, and its end. A program need not read it. */
async function passInput(input: Readable, command: RunningCommand): Promise<void> {
  try {
    for await (const chunk of input as AsyncIterable<Buffer>) await command.sendStdin(chunk);
    await command.closeStdin();
  } catch {
    // The program has ended, or closed its input: as with a pipe, what is left goes nowhere.
  }
}

/** envd knows two signals; the sandbox's own `kill` knows all. */
function passSignals(signals: SignalQueue, sandbox: Sandbox, command: RunningCommand): void {
  const seen = new Set<string>();
  signals.passTo((signal) => {
    const again = seen.has(signal);
    seen.add(signal);
    const sent = again
      ? command.kill()
      : sandbox.commands.run(`kill -s ${signal.slice(3)} ${command.pid}`, { user: 'root' });
    sent.catch(() => {});
  });
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
