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
import { startBroker } from './stage-broker.js';

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
  const withBroker = async (
    sandboxUrl: string,
    tokenTtlMs?: number,
    apiUrl = local.apiUrl,
  ): Promise<Endpoint> => {
    const broker = await startBroker({ apiUrl, sandboxUrl, apiKey }, origin, tokenTtlMs);
    closers.push(() => broker.close());
    return { apiUrl, sandboxUrl, apiKey, brokerUrl: broker.url };
  };

  const children = new Map<string, ChildProcess>();
  Object.assign(actions, {
    open: ({ sandboxId = '', path = '' }: Query) => observer.open(sandboxId, path),
    seen: ({ sandboxId = '', path = '' }: Query) => observer.seen(sandboxId, path),
    cut: ({ sandboxId = '', path = '' }: Query) => observer.cut(sandboxId, path),
    spoil: ({ sandboxId = '', path = '', times, status, retryAfter }: Query) =>
      observer.spoil({ sandboxId, path, times: Number(times), status: Number(status), retryAfter }),
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
    ...(await withBroker(local.sandboxUrl)),
    observed: await withBroker(observer.url),
    mute: await withBroker(addressOf(mute)),
    lossy: await withBroker(local.sandboxUrl, undefined, lossy.url),
    shortLived: await withBroker(local.sandboxUrl, 2_000),
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
