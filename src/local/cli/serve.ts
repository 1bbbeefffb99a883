import { isE2BEdgeError } from '../../errors.js';
import { loadTemplates } from '../control/templates/load-templates.js';
import { type LocalServer, startLocalServer } from '../local-server.js';
import type { LocalServerOptions } from '../options.js';
import { type Command, parse, printJson, say, UsageError } from './command.js';
import { announce } from './running-servers.js';

/** Where `serve` listens unless told otherwise, if nobody else does. */
const defaultPort = 3980;

const help = `Usage: e2b-edge serve [options]

Starts a local sandbox server on loopback, for the official E2B SDKs and for e2b-edge, until Ctrl-C or SIGTERM.

Options:
  --port N           port to listen on; 0 takes a free one (default ${defaultPort}, or a free one if that is taken)
  --host HOST        localhost (default: both of its addresses), 127.0.0.1 or ::1
  --origin ORIGIN    let web pages of this origin use the control plane; may be repeated
  --isolation KIND   auto (default), bubblewrap, or none
  --api-key KEY      the API key, e2b_ and hexadecimal digits (default: a new one at each start). Other users of this
                     machine may see it in the list of processes
  --any-key          accept any API key: whoever can connect to this machine's loopback can then run programs
  --config FILE      templates, as JSON: {"templates": {"my-template": {"files": "./app", "startCmd": "npm start"}}}
  --debug            be also the one sandbox at localhost:49983 that E2B_DEBUG=true looks for; it asks for no token
  --json             print one line of JSON: {"apiUrl":…,"sandboxUrl":…,"apiKey":…,"domain":…}

A service at a port of a sandbox is at http://PORT-SANDBOX.localhost:${defaultPort}, where browsers find it by themselves; with
E2B_DOMAIN set as printed, the SDKs' getHost() says so. Use such names in pages, also for the sandboxes themselves: a
browser has six connections to each, and every running command or watched directory holds one.

Examples:
  e2b-edge serve
  e2b-edge serve --port 4000 --origin http://localhost:5173
  e2b-edge serve --config sandboxes.json --json
`;

const options = {
  port: { type: 'string' },
  host: { type: 'string' },
  origin: { type: 'string', multiple: true },
  isolation: { type: 'string' },
  'api-key': { type: 'string' },
  'any-key': { type: 'boolean' },
  config: { type: 'string' },
  debug: { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

export const serve: Command = {
  summary: 'start a local sandbox server',
  help,
  async run(args) {
    const { values } = parse({ args: [...args], options });
    const stopped = stopSignal();
    const server = await start(await settingsOf(values), values.port);
    const withdraw = await announce(server).catch((error: Error) => {
      say(`other commands will not find this server by themselves: ${error.message}`);
    });
    if (values.json) {
      const { apiUrl, sandboxUrl, apiKey } = server;
      printJson({ apiUrl, sandboxUrl, apiKey, domain: domainOf(server) });
    } else {
      process.stdout.write(exportLines(server));
    }
    await stopped;
    await withdraw?.();
    await server.close();
    return 0;
  },
};

type Values = ReturnType<typeof parse<{ options: typeof options }>>['values'];

async function settingsOf(values: Values): Promise<LocalServerOptions> {
  return {
    host: (values.host ?? 'localhost') as 'localhost',
    origins: values.origin ?? [],
    ...(values.isolation !== undefined && { isolation: values.isolation as 'auto' }),
    ...(values['api-key'] !== undefined && { apiKey: values['api-key'] }),
    ...(values.config !== undefined && { templates: await loadTemplates(values.config) }),
    anyApiKey: values['any-key'] ?? false,
    debug: values.debug ?? false,
    logger: { warn: say },
  };
}

async function start(settings: LocalServerOptions, port: string | undefined): Promise<LocalServer> {
  if (port !== undefined) {
    if (!/^\d+$/.test(port)) throw new UsageError(`--port must be a number, not '${port}'`);
    return startLocalServer({ ...settings, port: Number(port) });
  }
  try {
    return await startLocalServer({ ...settings, port: defaultPort });
  } catch (error) {
    if (!isE2BEdgeError(error, 'port_in_use')) throw error;
    return startLocalServer(settings);
  }
}

function domainOf({ port }: LocalServer): string {
  return `localhost:${port}`;
}

function exportLines(server: LocalServer): string {
  const { apiUrl, sandboxUrl, apiKey, isolation } = server;
  const kept = isolation === 'none' ? 'NOT isolated' : `isolated by ${isolation}`;
  return `Local sandbox server on ${apiUrl} (sandboxes are ${kept}). In the shell of your program:

export E2B_API_URL=${apiUrl}
export E2B_SANDBOX_URL=${sandboxUrl}
export E2B_API_KEY=${apiKey}
export E2B_DOMAIN=${domainOf(server)}

Press Ctrl-C to end the server and all of its sandboxes.
`;
}

/** Resolves when the server is to end. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    // For good: Ctrl-C comes twice, from the terminal and from npx, and the second must not cut the end short.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
  });
}
