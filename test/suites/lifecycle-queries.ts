import { equal, ok, rejects, until } from './assert.js';
import type { Suite } from './case.js';

/** What is asked of the control plane, and what is set there. */
export const lifecycleQueries: Suite = {
  name: 'lifecycle: queries and settings',
  cases: [
    {
      name: 'a loop over a list goes through all pages, and can be left and taken up',
      via: 'key',
      async run({ create, edge, key }) {
        const mark = crypto.randomUUID();
        const ids: string[] = [];
        for (let i = 0; i < 3; i++) ids.push((await create({ metadata: { mark } })).sandboxId);
        const query = {
          metadata: { mark },
          state: ['running' as const],
          startedAfter: new Date(0),
          template: 'base',
        };
        const seen: string[] = [];
        for await (const { sandboxId } of edge.Sandbox.list({ ...key, query, order: 'asc', limit: 1 })) {
          seen.push(sandboxId);
        }
        equal(seen, ids, 'all, the oldest first');
        const pages = edge.Sandbox.list({ ...key, query, order: 'asc', limit: 2 });
        for await (const { sandboxId } of pages) {
          equal(sandboxId, ids[0], 'the first');
          break;
        }
        equal(pages.hasNext, true, 'hasNext');
        const rest = edge.Sandbox.list({ ...key, query, order: 'asc', nextToken: pages.nextToken ?? '' });
        equal(
          (await rest.nextItems()).map(({ sandboxId }) => sandboxId),
          [ids[2]],
          'the next page',
        );
        await rejects(() => rest.nextItems(), edge.InvalidArgumentError, 'no_more_pages');
        const none = edge.Sandbox.list({ ...key, query: { metadata: { mark }, state: ['paused'] } });
        equal(await none.nextItems(), [], 'none is paused');
      },
    },
    {
      name: 'shows metadata as it was given, whatever marks the creation',
      via: 'key',
      async run({ create, edge, key }) {
        const mark = crypto.randomUUID();
        const plain = await create();
        equal((await plain.getInfo()).metadata, {}, 'none');
        const sandbox = await create({ metadata: { mark } });
        equal((await sandbox.getInfo()).metadata, { mark }, 'getInfo');
        const [listed] = await edge.Sandbox.list({ ...key, query: { metadata: { mark } } }).nextItems();
        equal(listed?.metadata, { mark }, 'list');
      },
    },
    {
      name: 'metrics: samples, and none of a time before',
      via: 'key',
      async run({ create, edge, key }) {
        const sandbox = await create();
        await until(async () => (await sandbox.getMetrics()).length > 0, 'there is a sample');
        const [sample] = await edge.Sandbox.getMetrics(sandbox.sandboxId, key);
        ok(sample && sample.timestamp.getTime() > 0 && sample.memTotal > sample.memUsed, 'a sample');
        equal(await sandbox.getMetrics({ start: new Date(0), end: new Date(1000) }), [], 'of long ago');
        await rejects(edge.Sandbox.getMetrics('i0000000000000000000', key), edge.SandboxNotFoundError);
      },
    },
    {
      name: 'network: as it was created, and as it was replaced',
      via: 'key',
      async run({ create, edge, key }) {
        const sandbox = await create({
          network: {
            allowOut: ({ rules }) => [...rules.keys()],
            denyOut: ({ allTraffic }) => [allTraffic],
            rules: new Map([['example.com', [{ transform: () => ({ headers: { 'x-a': 'b' } }) }]]]),
            maskRequestHost: 'localhost:8080',
          },
        });
        const { network } = await sandbox.getInfo();
        equal(network?.allowOut, ['example.com'], 'allowOut');
        equal(network?.denyOut, [edge.ALL_TRAFFIC], 'denyOut');
        equal(network?.rules, { 'example.com': [{ transform: { headers: { 'x-a': 'b' } } }] }, 'rules');
        equal(network?.maskRequestHost, 'localhost:8080', 'maskRequestHost');
        await sandbox.updateNetwork({ denyOut: ['192.0.2.1'], allowInternetAccess: false });
        const after = await edge.Sandbox.getFullInfo(sandbox.sandboxId, key);
        equal(after.network?.denyOut, ['192.0.2.1'], 'denyOut, replaced');
        equal(after.network?.allowOut ?? [], [], 'allowOut, cleared');
        equal(after.allowInternetAccess, false, 'allowInternetAccess');
        await rejects(edge.Sandbox.updateNetwork('i0000000000000000000', {}, key), edge.SandboxNotFoundError);
      },
    },
    {
      name: 'has a host name for each port, and a token where its traffic is private',
      via: 'key',
      async run({ create, edge, key }) {
        const sandbox = await create({ network: { allowPublicTraffic: false } });
        equal(sandbox.getHost(3000), `3000-${sandbox.sandboxId}.${sandbox.sandboxDomain}`, 'getHost');
        equal(sandbox.getMcpUrl(), `https://${sandbox.getHost(50_005)}/mcp`, 'getMcpUrl');
        await rejects(sandbox.getMcpToken(), edge.FileNotFoundError);
        ok(sandbox.trafficAccessToken, 'trafficAccessToken');
        const again = await edge.Sandbox.connect(sandbox.sandboxId, { ...key, timeoutMs: 0 });
        equal(again.trafficAccessToken, sandbox.trafficAccessToken, 'the same after connect');
        equal((await create()).trafficAccessToken, undefined, 'none where traffic is public');
      },
    },
    {
      name: 'a URL uploads a file, another one downloads it, and neither works changed',
      via: 'key',
      async run({ create }) {
        const sandbox = await create();
        const form = new FormData();
        form.append('file', new Blob(['by URL']), 'a b.txt');
        const uploaded = await fetch(await sandbox.uploadUrl('a b.txt'), { method: 'POST', body: form });
        equal(uploaded.status, 200, `upload: ${await uploaded.text()}`);
        const url = await sandbox.downloadUrl('a b.txt', { useSignatureExpiration: 60 });
        equal(await (await fetch(url)).text(), 'by URL', 'the content');
        equal((await fetch(url.replace('v1_', 'v1_x'))).status, 401, 'with another signature');
      },
    },
    {
      name: 'a client binds options, and those of a call go before them',
      via: 'key',
      async run({ edge, key }) {
        const { Sandbox } = edge.createClient({ ...key, metadata: undefined } as never);
        const sandbox = await Sandbox.create({ apiKey: undefined } as never);
        try {
          ok(sandbox instanceof Sandbox && sandbox instanceof edge.Sandbox, 'its class');
          equal(await sandbox.isRunning(), true, 'isRunning');
          equal((await Sandbox.getInfo(sandbox.sandboxId)).sandboxId, sandbox.sandboxId, 'getInfo');
          const wrong = { apiKey: 'e2b_wrong' };
          await rejects(Sandbox.getInfo(sandbox.sandboxId, wrong), edge.AuthenticationError);
          await rejects(() => Sandbox.list(wrong).nextItems(), edge.AuthenticationError);
          const listed = await Sandbox.list({ limit: 1 })
            .nextItems(wrong)
            .catch((error: unknown) => error);
          ok(listed instanceof edge.AuthenticationError, 'options of a page');
        } finally {
          equal(await new edge.E2B(key).Sandbox.kill(sandbox.sandboxId), true, 'kill');
        }
      },
    },
  ],
};
