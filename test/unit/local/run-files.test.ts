import { expect, test } from 'vitest';
import type { LocalServer } from '../../../src/local/local-server.js';
import { api, type Created, createSandbox, envdHeaders, startServer } from './support/server.js';

async function read(server: LocalServer, sandbox: Created, name: string): Promise<string> {
  const path = encodeURIComponent(`/run/e2b/.${name}`);
  return (await fetch(`${server.sandboxUrl}/files?path=${path}`, { headers: envdHeaders(sandbox) })).text();
}

test.each(['auto', 'none'] as const)(
  'programs find in /run/e2b who their sandbox is, with isolation %s',
  async (isolation) => {
    const server = await startServer({ isolation });
    const first = await createSandbox(server, { envVars: { E2B_OTHER: '../x' } });
    const snapshot = await api(server, 'POST', `/sandboxes/${first.sandboxID}/snapshots`, { name: 'kept' });
    const { snapshotID } = (await snapshot.json()) as { snapshotID: string };
    const second = await createSandbox(server, { templateID: snapshotID });
    for (const sandbox of [first, second]) {
      expect(await read(server, sandbox, 'E2B_SANDBOX')).toBe('true');
      expect(await read(server, sandbox, 'E2B_SANDBOX_ID')).toBe(sandbox.sandboxID);
    }
    expect(await read(server, first, 'E2B_TEMPLATE_ID')).toBe('base');
    expect(await read(server, second, 'E2B_TEMPLATE_ID')).not.toBe('base');
  },
);
