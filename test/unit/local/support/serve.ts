/** A local server as a program of its own: options as JSON, then the path of envd's bundle. */
import { startWithEnvd } from '../../../../src/local/local-server.js';

const [options = '{}', envd = ''] = process.argv.slice(2);
const warnings: string[] = [];
const logger = { warn: (message: string) => void warnings.push(message) };
const { apiUrl, sandboxUrl, apiKey, isolation, port, close } = await startWithEnvd(
  { ...JSON.parse(options), logger },
  envd,
);
process.stdout.write(`${JSON.stringify({ apiUrl, sandboxUrl, apiKey, isolation, port, warnings })}\n`);
process.stdin.resume().once('end', () => void close().then(() => process.exit(0)));
