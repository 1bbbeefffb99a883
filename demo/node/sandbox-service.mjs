import { startLocalServer } from 'e2b-edge/local';

/**
 * Where sandboxes come from.
 * @typedef {{ apiKey: string, apiUrl?: string, sandboxUrl?: string, description: string, close: () => Promise<void> }} SandboxService
 */

/**
 * Sandboxes on this machine.
 * @returns {Promise<SandboxService>}
 */
export async function localService() {
  const server = await startLocalServer({ logger: console });
  const { apiKey, apiUrl, sandboxUrl, isolation } = server;
  return {
    apiKey,
    apiUrl,
    sandboxUrl,
    description: `Sandboxes run on this machine (isolation: ${isolation}).`,
    close: () => server.close(),
  };
}

/**
 * Sandboxes in E2B's cloud, which cost money: only when it was asked for by name.
 * @param {NodeJS.ProcessEnv} env
 * @returns {SandboxService}
 */
export function cloudService(env) {
  const apiKey = env.E2B_API_KEY;
  if (!apiKey) throw new Error('--cloud needs E2B_API_KEY: get a key at https://e2b.dev/dashboard?tab=keys.');
  return {
    apiKey,
    ...(env.E2B_API_URL && { apiUrl: env.E2B_API_URL }),
    ...(env.E2B_SANDBOX_URL && { sandboxUrl: env.E2B_SANDBOX_URL }),
    description: "Sandboxes run in E2B's cloud.",
    close: async () => undefined,
  };
}
