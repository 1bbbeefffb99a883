/** The servers that the suites run against, and what a case can do to them from inside any runtime. */

import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startLocalServer } from 'e2b-edge/local';
import type { Endpoint, StageEnv } from '../suites/case.js';
import { startLossyControlPlane } from './lossy-control-plane.js';
import { startObserver } from './observer.js';
import { type StageBroker, startBroker } from './stage-broker.js';

export interface Stage {
  env: StageEnv;
  close(): Promise<void>;
}

type Query = Record<string, string>;
type Action = (query: Query) => unknown;

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** Starts everything on loopback, on ports of its own. */
export async function startStage(): Promise<Stage> {
  const closers: (() => Promise<void>)[] = [];
  const actions: Record<string, Action> = {};
  const control = await listen((request, response) => void serve(request, response, actions));
  const origin = addressOf(control);
  closers.push(() => stop(control));

  const local = await startLocalServer({ origins: [origin] });
  closers.push(() => local.close());
  const observer = await startObserver(local.sandboxUrl);
  closers.push(() => observer.close());
  const lossy = await startLossyControlPlane(local.apiUrl);
  closers.push(() => lossy.close());
  const mute = await listen(() => undefined);
  closers.push(() => stop(mute));

  const { apiKey } = local;
  const brokers = new Map<string, StageBroker>();
  const withBroker = async (more: {
    apiUrl?: string;
    sandboxUrl?: string;
    tokenTtlMs?: number;
    sessionLifeMs?: number;
    publicUrl?: string;
  }): Promise<Endpoint> => {
    const { apiUrl = local.apiUrl, sandboxUrl = local.sandboxUrl, publicUrl } = more;
    const broker = await startBroker({ apiUrl, sandboxUrl, apiKey }, origin, more);
    closers.push(() => broker.close());
    const brokerUrl = publicUrl ?? broker.url;
    brokers.set(brokerUrl, broker);
    return { apiUrl, sandboxUrl, apiKey, brokerUrl };
  };
  const front = await startObserver(() => brokers.get(front.url)?.url ?? '');
  closers.push(() => front.close());
  const observers = [observer, front];
  const sum = (counts: number[]): number => counts.reduce((all, one) => all + one, 0);

  const children = new Map<string, ChildProcess>();
  Object.assign(actions, {
    open: ({ sandboxId = '', path = '' }: Query) => sum(observers.map((one) => one.open(sandboxId, path))),
    seen: ({ sandboxId = '', path = '' }: Query) => sum(observers.map((one) => one.seen(sandboxId, path))),
    cut: ({ sandboxId = '', path = '' }: Query) => {
      for (const one of observers) one.cut(sandboxId, path);
    },
    spoil: ({ sandboxId = '', path = '', times, status, retryAfter }: Query) => {
      const fault = { sandboxId, path, status: Number(status), retryAfter };
      for (const one of observers) one.spoil({ ...fault, times: Number(times) });
    },
    revoke: ({ brokerUrl = '', sessionId = '' }: Query) => brokers.get(brokerUrl)?.revoke(sessionId),
    'start-server': async () => {
      const { child, id, endpoint } = await spawnServer(origin);
      children.set(id, child);
      const broker = await startBroker(endpoint, origin);
      closers.push(() => broker.close());
      return { ...endpoint, id, brokerUrl: broker.url };
    },
    'kill-server': ({ id = '' }: Query) => killChild(children.get(id)),
  });
  closers.push(async () => {
    for (const child of children.values()) await killChild(child);
  });

  const env: StageEnv = {
    ...(await withBroker({})),
    observed: await withBroker({ sandboxUrl: observer.url }),
    fronted: await withBroker({ publicUrl: front.url }),
    mute: await withBroker({ sandboxUrl: addressOf(mute) }),
    lossy: await withBroker({ apiUrl: lossy.url }),
    shortLived: await withBroker({ tokenTtlMs: 2_000 }),
    brief: await withBroker({ tokenTtlMs: 2_000, sessionLifeMs: 4_000 }),
    controlUrl: origin,
    pageUrl: `${origin}/page`,
  };
  return {
    env,
    close: async () => {
      for (const close of closers.reverse()) await close();
    },
  };
}

async function spawnServer(
  origin: string,
): Promise<{ child: ChildProcess; id: string; endpoint: Omit<Endpoint, 'brokerUrl'> }> {
  const child = spawn(process.execPath, [cli, 'serve', '--port', '0', '--json', '--origin', origin], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    return { child, id: String(child.pid), endpoint: JSON.parse(line) as Omit<Endpoint, 'brokerUrl'> };
  }
  throw new Error(`The local server ended with ${child.exitCode} before it printed where it is.`);
}

async function killChild(child: ChildProcess | undefined): Promise<void> {
  if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exited;
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  actions: Record<string, Action>,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://stage.test');
  if (pathname === '/page') {
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end('<!doctype html><title>suite</title><script type="module" src="/suite.js"></script>');
    return;
  }
  const action = actions[pathname.slice(1)];
  if (!action || request.method !== 'POST') {
    response.writeHead(404).end();
    return;
  }
  try {
    const result = (await action(Object.fromEntries(searchParams))) ?? null;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(result));
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
}

async function listen(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Server> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function addressOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
