import { readFileSync } from 'node:fs';
import { isE2BEdgeError } from '../../errors.js';
import { type Command, CommandError, say, UsageError } from './command.js';
import { doctor } from './doctor.js';
import { exec } from './exec.js';
import { kill } from './kill.js';
import { list } from './list.js';
import { serve } from './serve.js';
import { shell } from './shell.js';

const commands: ReadonlyMap<string, Command> = new Map(
  Object.entries({ serve, list, exec, shell, kill, doctor }),
);
const names = [...commands.keys()].join(', ');

/** What `exec` and `shell` exit with when it was not their program that failed. */
const notStarted = 125;

const help = `Usage: e2b-edge COMMAND [options]

Commands:
${[...commands].map(([name, { summary }]) => `  ${name.padEnd(8)} ${summary}`).join('\n')}

\`e2b-edge COMMAND --help\` tells all about one of them.
list, exec, shell and kill use the server that E2B_API_URL, E2B_SANDBOX_URL and E2B_API_KEY name (E2B's own cloud, where
only the key is set); where none of these is set, the one that \`serve\` started last and that still runs.

Options:
  --help      print this
  --version   print the version

Exit codes: 0 done, 1 failed, 2 the command line makes no sense. exec and shell end with the exit code of their program,
and with ${notStarted} when they could not start it.
`;

/** Runs the command line. Resolves to the exit code. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  const [name = '', ...rest] = args;
  try {
    return await run(name, rest);
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof CommandError || isE2BEdgeError(error))) throw error;
    say(error.message);
    if (error instanceof UsageError || isWrongOption(error)) {
      process.stderr.write(`Try \`e2b-edge ${commands.has(name) ? `${name} ` : ''}--help\`.\n`);
      return 2;
    }
    return name === 'exec' || name === 'shell' ? notStarted : 1;
  }
}

/** What was wrong from the beginning has a code that names it; `invalid_argument` is what a sandbox answers. */
function isWrongOption(error: Error): boolean {
  return isE2BEdgeError(error) && error.code.startsWith('invalid_') && error.code !== 'invalid_argument';
}

async function run(name: string, args: readonly string[]): Promise<number> {
  switch (name) {
    case '':
      throw new UsageError(`no command given; there are ${names}`);
    case '--help':
    case '-h':
    case 'help':
      return print(args[0] === undefined ? help : find(args[0]).help);
    case '--version':
    case '-v':
      return print(`${version()}\n`);
    default: {
      const command = find(name);
      return asksForHelp(args) ? print(command.help) : command.run(args);
    }
  }
}

function find(name: string): Command {
  const command = commands.get(name);
  if (!command) throw new UsageError(`unknown command '${name}'; there are ${names}`);
  return command;
}

/** What stands behind `--` is for another program. */
function asksForHelp(args: readonly string[]): boolean {
  const own = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  return own.includes('--help') || own.includes('-h');
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

function version(): string {
  const manifest = new URL('../../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}
