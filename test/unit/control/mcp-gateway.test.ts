import { beforeAll, expect, test } from 'vitest';
import { Sandbox } from '../../../src/control/sandbox.js';
import type { LocalServer } from '../../../src/local/local-server.js';
import { startServer } from '../local/support/server.js';

let server: LocalServer;

beforeAll(async () => {
  server = await startServer();
});

/** The local server has no gateway: a new sandbox's root gets a function of that name, or nothing. */
function withGateway(script: string | undefined) {
  const created: Record<string, unknown>[] = [];
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    if (!url.endsWith('/v2/sandboxes') || init.method !== 'POST') return globalThis.fetch(url, init);
    const { mcp, templateID, ...body } = JSON.parse(String(init.body)) as Record<string, unknown>;
    const plain = JSON.stringify({ ...body, templateID: 'base' });
    const response = await globalThis.fetch(url, { ...init, body: plain });
    const record = (await response.clone().json()) as Record<string, string>;
    created.push({ mcp, templateID, sandboxID: record.sandboxID });
    if (script !== undefined) {
      await globalThis.fetch(`${server.sandboxUrl}/files?path=/root/.bash_profile&username=root`, {
        method: 'POST',
        headers: {
          'content-type': 'application/octet-stream',
          'e2b-sandbox-id': String(record.sandboxID),
          'e2b-sandbox-port': '49983',
          'x-access-token': String(record.envdAccessToken),
        },
        body: script,
      });
    }
    return response;
  };
  const { apiUrl, sandboxUrl, apiKey } = server;
  return { key: { apiUrl, sandboxUrl, apiKey, fetch }, created };
}

test('the gateway is started as root with its configuration and a token', async () => {
  const script = `mcp-gateway() { printf '%s\\n' "$(id -un)" "$@" "$GATEWAY_ACCESS_TOKEN" > /tmp/started; }`;
  const { key, created } = withGateway(script);
  const mcp = { github: { token: `it's "$HOME"; \\ \`id\`` } };
  const sandbox = await Sandbox.create({ ...key, mcp });
  expect(created).toEqual([{ mcp, templateID: 'mcp-gateway', sandboxID: sandbox.sandboxId }]);
  const [user, flag, config, token, ...rest] = (await sandbox.files.read('/tmp/started')).split('\n');
  expect([user, flag, JSON.parse(String(config)), rest]).toEqual(['root', '--config', mcp, ['']]);
  expect(await sandbox.getMcpToken()).toBe(token);
  expect(sandbox.getMcpUrl()).toBe(`https://50005-${sandbox.sandboxId}.e2b.app/mcp`);
  await sandbox.kill();
});

test('a sandbox whose gateway does not start is killed, and the error says why', async () => {
  const { key, created } = withGateway(`mcp-gateway() { echo 'no such server' >&2; return 3; }`);
  await expect(Sandbox.create({ ...key, mcp: { nothing: {} } })).rejects.toMatchObject({
    name: 'SandboxError',
    code: 'mcp_gateway_failed',
    message: expect.stringContaining('no such server'),
  });
  await expect(Sandbox.getInfo(String(created[0]?.sandboxID), key)).rejects.toMatchObject({
    code: 'sandbox_not_found',
  });
});
