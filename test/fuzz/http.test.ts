/**
 * The same law over real connections, of a broker on Node: requests whose bytes two readers could take for different
 * things, targets of other hosts, bodies that hide another request. See `broker.test.ts`.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createNodeBroker, type NodeBroker } from '../../src/hosts/node/create-node-broker.js';
import type { FileGrant } from '../../src/wire/session.js';
import { type RawCase, rawCases } from './arbitraries/raw.js';
import { type Asked, judgeArrival } from './law/judge-arrival.js';
import { makeKeys } from './support/keys.js';
import { exchange } from './support/raw-exchange.js';
import { ambiguous, basePath, broken, rawRequest, smuggledPath } from './support/raw-request.js';
import { secretIn } from './support/secrets.js';
import { numRuns, path, seed } from './support/settings.js';
import { brokerOptions, newWorld, prepareOthers, setStage } from './support/stage.js';
import type { Sessions } from './support/tamper.js';
import { home } from './support/tree.js';

const runs = Math.ceil(numRuns / 10);
const [keys] = makeKeys();
const world = newWorld('address');
let broker: NodeBroker;
let server: Server;
let sessions: Sessions;
let mintedAt = 0;
let arrivals = 0;
const working = new Set<Promise<void>>();

beforeAll(async () => {
  const stage = { world, authorization: null };
  broker = createNodeBroker(brokerOptions(keys!, stage, { withStore: false }));
  server = createServer((request, response) => {
    const work = broker.handleRequest(request, response).finally(() => working.delete(work));
    working.add(work);
  });
  server.on('upgrade', broker.handleUpgrade);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterAll(async () => {
  broker.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

test(`${runs} connections of seed ${seed} break no law`, { timeout: 3_600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(rawCases, async (one) => {
      expect(await runRaw(one)).toEqual([]);
    }),
    { numRuns: runs, seed, ...(path !== undefined && { path }) },
  );
  if (path === undefined && runs >= 500) expect(arrivals).toBeGreaterThan(runs / 20);
});

async function runRaw(one: RawCase): Promise<string[]> {
  await freshSessions();
  const { bytes, isWhole } = rawRequest(one, sessions, keys!);
  world.arrived.length = 0;
  const answer = await exchange((server.address() as AddressInfo).port, bytes, isWhole).catch(String);
  await settled();
  arrivals += world.arrived.length;
  const violations: (string | undefined)[] = world.arrived.map((arrived) => {
    const isSmuggled = arrived.url.searchParams.get('path') === smuggledPath;
    // What comes after a body that ends there is a request of its own.
    if (isSmuggled && one.framing !== 'short length' && one.framing !== 'none')
      return 'a body was taken for a request';
    if (ambiguous.includes(one.framing)) return `taken, though it can be read in two ways: ${arrived.url}`;
    if (one.call.kind === 'rpc' && broken.includes(one.framing))
      return `taken, though its body cannot be read: ${arrived.url}`;
    const who = isSmuggled
      ? [sessions.wide]
      : Object.values(sessions).filter(({ token }) => bytes.includes(token));
    const found = who.map((session) => judgeArrival(world, arrived, asked(session, one.smuggles)));
    return found.some((violation) => violation === undefined)
      ? undefined
      : (found[0] ?? `nobody asked for ${arrived.url}`);
  });
  if (answer.startsWith('Error: it hangs')) violations.push(answer);
  if (secretIn(answer)) violations.push(`a secret is in the answer: ${secretIn(answer)}`);
  if (/"code":"(internal|broker_misconfigured)"/.test(answer))
    violations.push(`a fault of the broker: ${answer}`);
  return violations.filter((violation) => violation !== undefined);
}

/** What a connection that was left began may come to pass yet, and is not the next one's. */
async function settled(): Promise<void> {
  const connections = (): Promise<number> =>
    new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
  while ((await connections()) > 0 || working.size > 0) {
    await Promise.all(working);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function asked(who: Sessions['own'], isFile: boolean): Asked {
  // A file may well have a token in it.
  const token = isFile ? '' : who.token;
  return {
    method: '',
    path: basePath,
    who,
    authorized: undefined,
    headers: new Headers(),
    token,
    idempotencyKey: null,
  };
}

function at(op: FileGrant['op'], prefix: string): FileGrant[] {
  return [{ op, prefix }];
}

/** Tokens end after five minutes. */
async function freshSessions(): Promise<void> {
  if (Date.now() - mintedAt < 120_000) return;
  mintedAt = Date.now();
  const others = await prepareOthers(keys!);
  world.programs = others.programs.map((program) => ({ ...program }));
  const own = await setStage(keys!, 'address', { withStore: false }).mint({
    subject: 'ann',
    sandbox: { id: 'sandboxone' },
    grants: { files: [...at('read', `${home}/work`), ...at('write', '/srv')], commands: ['ls'], pty: 'read' },
  });
  sessions = { own, ...others.sessions };
}
