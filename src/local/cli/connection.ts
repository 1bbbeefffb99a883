import type { ConnectionOptions } from '../../control/config.js';
import { CommandError } from './command.js';
import { findServer } from './running-servers.js';

const variables = ['E2B_API_KEY', 'E2B_API_URL', 'E2B_SANDBOX_URL', 'E2B_DOMAIN'];

/**
 * Whom to ask: whom the environment names, or else the server that runs here.
 *
 * @throws `CommandError` when there is neither.
 */
export async function findConnection(): Promise<ConnectionOptions> {
  if (variables.some((name) => process.env[name])) return {};
  const server = await findServer();
  if (server) {
    const { apiUrl, sandboxUrl, apiKey } = server;
    return { apiUrl, sandboxUrl, apiKey };
  }
  throw new CommandError(
    'no server: start one by `e2b-edge serve`, or set E2B_API_KEY to use E2B’s cloud (and E2B_API_URL and E2B_SANDBOX_URL for another)',
  );
}
