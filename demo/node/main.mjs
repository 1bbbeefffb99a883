import { parseArgs } from 'node:util';
import { startDemo } from './demo-server.mjs';
import { cloudService, localService } from './sandbox-service.mjs';

const usage = `Usage: npm start -- [options]

  --port N   where the page is served, on loopback; 0 takes any free port (default 3000, or a free one)
  --json     print {"url":…} as one line when the page answers
  --cloud    use E2B's cloud with E2B_API_KEY instead of sandboxes on this machine
  --help     print this`;

/**
 * Starts the demo and keeps it running until SIGINT or SIGTERM.
 * @param {string[]} args
 */
export async function main(args) {
  const options = readOptions(args);
  if (options.help) return console.log(usage);
  const service = options.cloud ? cloudService(process.env) : await localService();
  const demo = await startDemo({ port: options.port, service }).catch(async (error) => {
    await service.close();
    throw error;
  });

  const stopped = stopSignal();

  console.error(service.description);
  if (options.json) console.log(JSON.stringify({ url: demo.url }));
  else console.log(`\n  Open ${demo.url}\n\n  Ctrl-C ends it.`);

  await stopped;
  await demo.close();
  await service.close();
}

// The handlers stay: Ctrl-C comes twice, from the terminal and from npm, and the second must not cut the end short.
function stopSignal() {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, resolve);
  });
}

function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: 'string' },
      json: { type: 'boolean', default: false },
      cloud: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { port } = values;
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) <= 65_535)) {
    throw new Error(`--port is "${port}", and has to be a number from 0 to 65535.`);
  }
  return { ...values, port: port === undefined ? undefined : Number(port) };
}
