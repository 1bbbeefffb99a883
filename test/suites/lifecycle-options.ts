import { equal, ok, rejects } from './assert.js';
import type { Context, Suite } from './case.js';

type Wrong = readonly [options: object, named: string];

const wrongCreates: readonly Wrong[] = [
  [{ template: '' }, 'template'],
  [{ template: null }, 'template'],
  [{ timeoutMs: 300 }, 'timeoutMs'],
  [{ timeoutMs: '60000' }, 'timeoutMs'],
  [{ timeoutMs: Number.NaN }, 'timeoutMs'],
  [{ timeoutMs: Number.POSITIVE_INFINITY }, 'timeoutMs'],
  [{ timeoutMs: 25 * 3_600_000 }, 'timeoutMs'],
  [{ metadata: { a: 1 } }, 'metadata'],
  [{ metadata: ['a'] }, 'metadata'],
  [{ envs: { 'A=B': 'c' } }, 'envs'],
  [{ envs: { A: 'b\0' } }, 'envs'],
  [{ allowInternetAccess: 'no' }, 'allowInternetAccess'],
  [{ secure: 1 }, 'secure'],
  [{ lifecycle: 'pause' }, 'lifecycle'],
  [{ lifecycle: { onTimeout: 'stop' } }, 'onTimeout'],
  [{ lifecycle: { onTimeout: {} } }, 'onTimeout'],
  [{ lifecycle: { onTimeout: ['pause'] } }, 'onTimeout'],
  [{ lifecycle: { onTimeout: 'kill', autoResume: true } }, 'autoResume'],
  [{ lifecycle: { onTimeout: { action: 'kill', keepMemory: true } } }, 'keepMemory'],
  [{ lifecycle: { onTimeout: { action: 'pause', keepMemory: false }, autoResume: true } }, 'autoResume'],
  [{ network: { allowOut: '1.1.1.1' } }, 'allowOut'],
  [{ network: { denyOut: () => 'all' } }, 'denyOut'],
  [{ network: { httpsPorts: [0] } }, 'httpsPorts'],
  [{ network: { allowPublicTraffic: 'no' } }, 'allowPublicTraffic'],
  [{ network: { egressProxy: { address: '' } } }, 'egressProxy'],
  [{ network: { egressProxy: { address: 'a:1', password: 'b' } } }, 'username'],
  [{ network: { rules: { 'a.example': {} } } }, 'a.example'],
  [{ network: { rules: { 'a.example': [{ transform: async () => ({}) }] } } }, 'promise'],
  [{ network: { rules: { 'a.example': [{ transform: { headers: { a: 1 } } }] } } }, 'headers'],
  [{ iam: { tokens: { 'a}': { audience: 'a', tokenType: 'b' } } } }, "token's name"],
  [{ iam: { tokens: { a: { audience: 'a' } } } }, 'tokenType'],
  [{ volumeMounts: { '/data': {} } }, '/data'],
  [{ mcp: 'all' }, 'mcp'],
  [{ idempotencyKey: 'Upper' }, 'idempotencyKey'],
  [{ waitUntil: true }, 'waitUntil'],
  [{ apiUrl: 'localhost:3000' }, 'apiUrl'],
  [{ domain: 'https://e2b.app' }, 'domain'],
  [{ domain: 'e2b.app/' }, 'domain'],
  [{ requestTimeoutMs: -1 }, 'requestTimeoutMs'],
  [{ debug: 'yes' }, 'debug'],
  [{ proxy: 'http://127.0.0.1:8080' }, 'proxy'],
];

type Calls = readonly [call: (sandbox: Context['edge']['Sandbox'], key: object) => unknown, named: string][];

const id = 'i0000000000000000000';
const wrongCalls: Calls = [
  [(Sandbox) => Sandbox.create(null as never), 'options'],
  [(Sandbox) => Sandbox.create(300 as never), 'template'],
  [(Sandbox) => Sandbox.create([] as never), 'options'],
  [(Sandbox) => Sandbox.create('base', null as never), 'options'],
  [(Sandbox, key) => Sandbox.kill('', key), 'sandboxId'],
  [(Sandbox, key) => Sandbox.kill(null as never, key), 'sandboxId'],
  [(Sandbox, key) => Sandbox.getInfo('../templates', key), 'sandboxId'],
  [(Sandbox, key) => Sandbox.connect(id, { ...key, timeoutMs: 300 }), 'timeoutMs'],
  [(Sandbox, key) => Sandbox.connect(id, { ...key, onResume: 'memory' as never }), 'onResume'],
  [(Sandbox, key) => Sandbox.setTimeout(id, 300, key), 'timeoutMs'],
  [(Sandbox, key) => Sandbox.setTimeout(id, undefined as never, key), 'timeoutMs'],
  [(Sandbox, key) => Sandbox.setTimeout(id, -1, key), 'timeoutMs'],
  [(Sandbox, key) => Sandbox.pause(id, { ...key, keepMemory: 0 as never }), 'keepMemory'],
  [(Sandbox, key) => Sandbox.fork(id, { ...key, count: 0 }), 'count'],
  [(Sandbox, key) => Sandbox.fork(id, { ...key, count: 101 }), 'count'],
  [(Sandbox, key) => Sandbox.fork(id, { ...key, timeoutMs: 15 }), 'timeoutMs'],
  [(Sandbox, key) => Sandbox.createSnapshot(id, { ...key, name: '' }), 'name'],
  [(Sandbox, key) => Sandbox.deleteSnapshot('', key), 'snapshotId'],
  [(Sandbox, key) => Sandbox.listSnapshots({ ...key, limit: 0 }), 'limit'],
  [(Sandbox, key) => Sandbox.list({ ...key, limit: 101 }), 'limit'],
  [(Sandbox, key) => Sandbox.list({ ...key, order: 'up' as never }), 'order'],
  [(Sandbox, key) => Sandbox.list({ ...key, query: null as never }), 'query'],
  [(Sandbox, key) => Sandbox.list({ ...key, query: { state: ['killed' as never] } }), 'state'],
  [(Sandbox, key) => Sandbox.list({ ...key, query: { state: [] } }), 'state'],
  [(Sandbox, key) => Sandbox.list({ ...key, query: { startedAfter: new Date('no') } }), 'startedAfter'],
  [(Sandbox, key) => Sandbox.list({ ...key, query: { metadata: { a: 1 as never } } }), 'metadata'],
  [(Sandbox, key) => Sandbox.getMetrics(id, { ...key, start: 5 as never }), 'start'],
  [(Sandbox, key) => Sandbox.getMetrics(id, { ...key, start: new Date(2), end: new Date(1) }), 'end'],
  [(Sandbox, key) => Sandbox.getMetrics(id, { ...key, end: new Date(-1) }), 'end'],
  [(Sandbox, key) => Sandbox.updateNetwork(id, null as never, key), 'network'],
  [(Sandbox, key) => Sandbox.updateNetwork(id, { allowOut: [''] }, key), 'allowOut'],
  [
    (Sandbox, key) => Sandbox.updateNetwork(id, { allowPublicTraffic: false } as object, key),
    'allowPublicTraffic',
  ],
  [(Sandbox, key) => Sandbox.updateNetwork(id, { httpsPorts: [443] } as object, key), 'httpsPorts'],
];

/** Wrong options are refused by their names, before anything is sent. */
export const lifecycleOptions: Suite = {
  name: 'lifecycle: options',
  cases: [
    {
      name: 'create refuses what is wrong',
      via: 'key',
      async run({ edge, key }) {
        const counted = counting(key);
        for (const [options, named] of wrongCreates) {
          await refused(edge, () => edge.Sandbox.create({ ...counted.key, ...options }), named);
        }
        equal(counted.requests(), 0, 'requests');
      },
    },
    {
      name: 'the other calls refuse what is wrong',
      via: 'key',
      async run({ edge, key }) {
        const counted = counting(key);
        for (const [call, named] of wrongCalls) {
          await refused(edge, async () => call(edge.Sandbox, counted.key), named);
        }
        equal(counted.requests(), 0, 'requests');
      },
    },
    {
      name: 'an instance refuses what is wrong',
      via: 'key',
      async run({ create, edge }) {
        const sandbox = await create();
        await refused(edge, async () => sandbox.getHost(0), 'port');
        await refused(edge, async () => sandbox.getHost('80' as never), 'port');
        await refused(edge, () => sandbox.setTimeout(60), 'timeoutMs');
        await refused(edge, () => sandbox.connect({ timeoutMs: -1 }), 'timeoutMs');
        await refused(
          edge,
          async () => sandbox.isRunning({ requestTimeoutMs: '1' as never }),
          'requestTimeoutMs',
        );
        await refused(edge, async () => sandbox.isRunning(null as never), 'options');
        await refused(edge, () => sandbox.uploadUrl(null as never), 'path');
        await refused(edge, () => sandbox.pause({ keepMemory: null as never }), 'keepMemory');
      },
    },
    {
      name: 'an unknown template, and a network that contradicts itself, are the server’s to refuse',
      via: 'key',
      async run({ edge, key }) {
        const unknown = edge.Sandbox.create('no-such-template', key);
        const error = await rejects(unknown, edge.NotFoundError, 'template_not_found');
        ok(!(error instanceof edge.SandboxNotFoundError), 'no sandbox is missing');
        const network = { allowOut: ['example.com'] };
        await rejects(edge.Sandbox.create({ ...key, network }), edge.InvalidArgumentError);
      },
    },
  ],
};

function counting(key: Context['key']): { key: Context['key']; requests(): number } {
  let requests = 0;
  const fetch = async (): Promise<Response> => {
    requests++;
    throw new Error('not to be called');
  };
  return { key: { ...key, fetch }, requests: () => requests };
}

async function refused(edge: Context['edge'], call: () => Promise<unknown>, named: string): Promise<void> {
  const error = await rejects(call, edge.InvalidArgumentError);
  ok(error.message.includes(named), `"${error.message}" names ${named}`);
}
