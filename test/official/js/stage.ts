import { Sandbox, type SandboxOpts } from 'e2b';
import type { LocalServer } from '../../../src/local/local-server.js';
import { startServer } from '../../unit/local/support/server.js';

/** A server and a sandbox in it, as a user of the official SDK has them. */
export interface Stage {
  readonly server: LocalServer;
  readonly sandbox: Sandbox;
  /** What redirects the SDK. */
  readonly connection: Pick<SandboxOpts, 'apiUrl' | 'sandboxUrl' | 'apiKey'>;
}

export async function openStage(): Promise<Stage> {
  const server = await startServer();
  const { apiUrl, sandboxUrl, apiKey } = server;
  const connection = { apiUrl, sandboxUrl, apiKey };
  const sandbox = await Sandbox.create({
    ...connection,
    metadata: { purpose: 'every method', odd: 'ä &=%25' },
    envs: { GREETING: 'hi' },
  });
  return { server, sandbox, connection };
}
