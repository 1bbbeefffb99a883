import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isE2BEdgeError } from '../../errors.js';
import { type LocalServer, startLocalServer } from '../local-server.js';
import type { LocalServerOptions } from '../options.js';

/** Where `serve` listens unless told otherwise, if nobody else does. */
const defaultPort = 3980;

const help = `Usage: e2b-edge serve [options]

Starts a local sandbox server on loopback, for the official E2B SDKs and for e2b-edge.

Options:
  --port N           port to listen on; 0 takes a free one (default ${defaultPort}, or a free one if that is taken)
  --origin ORIGIN    let web pages of this origin use the control plane; may be repeated
  --isolation KIND   auto (default), bubblewrap, or none
  --json             print one line of JSON: {"apiUrl":…,"sandboxUrl":…,"apiKey":…}
  --help             print this
  --version          print the version
`;

const options = {
  port: { type: 'string' },
  origin: { type: 'string', multiple: true },
  isolation: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const;

/** A command line that makes no sense. */
class UsageError extends Error {
  override name = 'UsageError';
}

/**
 * Runs the command line. Resolves to the exit code, which for `serve` is after SIGINT or SIGTERM: 0 when all is
 * ended, 1 when the server could not start, 2 when the command line makes no sense.
 */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  try {
    return await run(args);
  } catch (error) {
    if (error instanceof UsageError || isE2BEdgeError(error)) {
      process.stderr.write(`e2b-edge: ${error.message}\n`);
      const isUsage = error instanceof UsageError || error.code.startsWith('invalid_');
      if (isUsage) process.stderr.write('Try `e2b-edge --help`.\n');
      return isUsage ? 2 : 1;
    }
    throw error;
  }
}

async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parse(args);
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  if (values.version) {
    process.stdout.write(`${version()}\n`);
    return 0;
  }
  const [command, ...rest] = positionals;
  if (command === undefined) throw new UsageError('no command given; there is one: serve');
  if (command !== 'serve') throw new UsageError(`unknown command '${command}'; there is one: serve`);
  if (rest.length > 0) throw new UsageError(`unexpected argument '${rest[0]}'`);
  const server = await start(values);
  process.stdout.write(values.json ? jsonLine(server) : exportLines(server));
  await stopSignal();
  await server.close();
  return 0;
}

function parse(
  args: readonly string[],
): ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

async function start(values: ReturnType<typeof parse>['values']): Promise<LocalServer> {
  const settings: LocalServerOptions = {
    origins: values.origin ?? [],
    ...(values.isolation !== undefined && { isolation: values.isolation as 'auto' }),
    logger: { warn: (message) => process.stderr.write(`e2b-edge: ${message}\n`) },
  };
  if (values.port !== undefined) {
    if (!/^\d+$/.test(values.port)) throw new UsageError(`--port must be a number, not '${values.port}'`);
    return startLocalServer({ ...settings, port: Number(values.port) });
  }
  try {
    return await startLocalServer({ ...settings, port: defaultPort });
  } catch (error) {
    if (!isE2BEdgeError(error, 'port_in_use')) throw error;
    return startLocalServer(settings);
  }
}

function jsonLine({ apiUrl, sandboxUrl, apiKey }: LocalServer): string {
  return `${JSON.stringify({ apiUrl, sandboxUrl, apiKey })}\n`;
}

function exportLines({ apiUrl, sandboxUrl, apiKey, isolation }: LocalServer): string {
  const kept = isolation === 'none' ? 'NOT isolated' : `isolated by ${isolation}`;
  return `Local sandbox server on ${apiUrl} (sandboxes are ${kept}). In the shell of your program:

export E2B_API_URL=${apiUrl}
export E2B_SANDBOX_URL=${sandboxUrl}
export E2B_API_KEY=${apiKey}

Press Ctrl-C to end the server and all of its sandboxes.
`;
}

async function stopSignal(): Promise<void> {
  await new Promise<void>((resolve) => {
    // For good: Ctrl-C comes twice, from the terminal and from npx, and the second must not cut the end short.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
  });
}

function version(): string {
  const manifest = new URL('../../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}
