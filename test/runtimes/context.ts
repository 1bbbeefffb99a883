/** Makes what a case is given, out of the entries and the servers. Runs inside every runtime. */

import type { AnySandbox, Context, Endpoint, Entries, Runtime, StageEnv, Via } from '../suites/case.js';

export function createContext(
  runtime: Runtime,
  entries: Entries,
  env: StageEnv,
  via: Via,
): { context: Context; cleanUp(): Promise<void> } {
  const { edge, browser } = entries;
  const socket = entries.WebSocket ? { WebSocket: entries.WebSocket } : {};
  const keyFor = ({ apiUrl, sandboxUrl, apiKey }: Endpoint): Context['key'] => ({
    apiUrl,
    sandboxUrl,
    apiKey,
    ...(runtime === 'chromium' && { dangerouslyAllowBrowser: true }),
  });
  // A sandbox may be on a server that the case has killed meanwhile.
  const made: { sandboxId: string; at: Endpoint }[] = [];

  const headers = { authorization: `Bearer user-${crypto.randomUUID()}` };
  const session: Context['session'] = async (at = env, options = {}) => {
    const minted = await browser.fetchSession(at.brokerUrl, { headers, ...options });
    made.push({ sandboxId: minted.sandboxId, at });
    return minted;
  };

  const createAt = async (at: Endpoint, options: Parameters<Context['create']>[0]) => {
    const sandbox = await edge.Sandbox.create({ ...keyFor(at), ...options });
    made.push({ sandboxId: sandbox.sandboxId, at });
    return sandbox;
  };

  const context: Context = {
    ...entries,
    runtime,
    via,
    env,
    key: keyFor(env),
    headers,
    session,
    socket,
    connect: (given, options) => browser.Sandbox.connect({ session: given, ...socket, ...options }),
    create: (options) => createAt(env, options),
    async sandbox(at = env, options = {}): Promise<AnySandbox> {
      if (via === 'key') return createAt(at, options);
      return context.connect(await session(at), options);
    },
    revoke: async ({ sessionId }, { brokerUrl } = env) => {
      await control(env, 'revoke', { sessionId, brokerUrl });
    },
    observer: {
      open: async (sandboxId, path) => Number(await control(env, 'open', { sandboxId, path })),
      seen: async (sandboxId, path) => Number(await control(env, 'seen', { sandboxId, path })),
      swallow: async (sandboxId, path, times) => {
        await control(env, 'spoil', { sandboxId, path, times: String(times), status: '0' });
      },
      refuse: async (sandboxId, path, times, status, retryAfter) => {
        const fault = { sandboxId, path, times: String(times), status: String(status) };
        await control(env, 'spoil', { ...fault, ...(retryAfter !== undefined && { retryAfter }) });
      },
      cut: async (sandboxId, path) => {
        await control(env, 'cut', { sandboxId, path });
      },
    },
    server: {
      start: async () => (await control(env, 'start-server', {})) as Endpoint & { id: string },
      kill: async (id) => {
        await control(env, 'kill-server', { id });
      },
    },
  };

  return {
    context,
    async cleanUp() {
      const kills = made.map(({ sandboxId, at }) =>
        edge.Sandbox.kill(sandboxId, { ...keyFor(at), requestTimeoutMs: 5_000 }),
      );
      await Promise.allSettled(kills);
    },
  };
}

async function control(env: StageEnv, action: string, query: Record<string, string>): Promise<unknown> {
  const answer = await fetch(`${env.controlUrl}/${action}?${new URLSearchParams(query)}`, { method: 'POST' });
  if (!answer.ok) throw new Error(`The stage could not ${action}: ${await answer.text()}`);
  return answer.json();
}
