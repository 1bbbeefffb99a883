/** A server's program, with Node's types and no DOM. Nothing runs it: it is compiled under several settings. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createSandboxPool, Sandbox } from 'e2b-edge';
import { createNodeBroker } from 'e2b-edge/broker/node';
import { startLocalServer } from 'e2b-edge/local';

export async function server(request: IncomingMessage, response: ServerResponse): Promise<number> {
  await using local = await startLocalServer();
  const { apiKey, apiUrl, sandboxUrl } = local;
  await using sandbox = await Sandbox.create({ apiKey, apiUrl, sandboxUrl, metadata: { of: 'types' } });
  await using pool = createSandboxPool({ create: () => Sandbox.create(), max: 2 });
  const bytes: Uint8Array = await sandbox.files.read('photo.png', { format: 'bytes' });
  const broker = createNodeBroker({
    apiKey,
    signingKeys: { current: 'a key of thirty-two characters…' },
    origins: ['https://app.example'],
    authorize: (one) => ({ subject: one.url, sandbox: { template: 'base' }, grants: { pty: 'write' } }),
  });
  broker.handleRequest(request, response);
  return bytes.length + pool.stats.idle;
}
