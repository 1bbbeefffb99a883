/** A program for the official package, by another import: it compiles as it is. Nothing runs it. */

import Default, {
  ALL_TRAFFIC,
  E2B,
  Sandbox,
  type SandboxInfo,
  type SandboxNetworkRule,
  type SandboxOpts,
  type SandboxPaginator,
  type SnapshotInfo,
} from 'e2b-edge';

class Own extends Sandbox {
  protected static override readonly defaultTemplate: string = 'own';
  greet(): string {
    return `${this.sandboxId} at ${this.sandboxDomain}`;
  }
}

export async function program(signal: AbortSignal): Promise<string[]> {
  const options: SandboxOpts = {
    apiKey: 'e2b_00',
    domain: 'e2b.app',
    debug: false,
    requestTimeoutMs: 30_000,
    retries: 3,
    logger: console,
    headers: { 'x-a': 'b' },
    apiHeaders: { 'x-c': 'd' },
    validateApiKey: true,
    signal,
    template: 'base',
    metadata: { user: '1' },
    envs: { A: 'b' },
    timeoutMs: 60_000,
    secure: true,
    allowInternetAccess: true,
    network: {
      allowOut: ({ rules }) => [...rules.keys()],
      denyOut: ({ allTraffic }) => [allTraffic],
      rules: {
        'api.example.com': [
          { transform: ({ iam }) => ({ headers: { authorization: `Bearer ${iam.tokens.aws}` } }) },
        ],
      },
      egressProxy: { address: 'proxy.example:1080', username: 'a', password: 'b' },
      allowPublicTraffic: false,
      maskRequestHost: `localhost:\${PORT}`,
      httpsPorts: [8443],
    },
    iam: { tokens: { aws: { audience: 'sts.amazonaws.com', tokenType: 'JWT-SVID' } } },
    lifecycle: { onTimeout: { action: 'pause', keepMemory: true }, autoResume: true },
    mcp: { deepWiki: {} },
    volumeMounts: { '/data': 'volume', '/more': { name: 'other' } },
  };
  const sandbox: Sandbox = await Sandbox.create(options);
  const named: Default = await Sandbox.create('base', {
    timeoutMs: 60_000,
    lifecycle: { onTimeout: 'kill' },
  });
  const own: Own = await Own.create();
  const same: Own = await Own.connect(own.sandboxId, { timeoutMs: 60_000, onResume: 'reboot' });
  const seen: string[] = [own.greet(), same.greet(), named.sandboxId];

  const paginator: SandboxPaginator = Sandbox.list({
    query: { metadata: { user: '1' }, state: ['running'], startedAfter: new Date(), template: 'base' },
    order: 'asc',
    limit: 10,
    nextToken: 'x',
  });
  while (paginator.hasNext) {
    const page: SandboxInfo[] = await paginator.nextItems({ requestTimeoutMs: 1000, signal });
    seen.push(...page.map(({ sandboxId }) => sandboxId), paginator.nextToken ?? '');
  }

  const info: SandboxInfo = await sandbox.getInfo({ requestTimeoutMs: 1000 });
  seen.push(info.network?.egressProxy?.address ?? '', info.lifecycle?.onTimeout ?? '', info.name ?? '');
  seen.push((await Sandbox.getFullInfo(sandbox.sandboxId)).envdVersion);
  for (const { timestamp, diskUsed } of await sandbox.getMetrics({ start: new Date(0), end: new Date() })) {
    seen.push(`${timestamp.toISOString()} ${diskUsed}`);
  }
  await sandbox.setTimeout(60_000, { signal });
  await Sandbox.setTimeout(sandbox.sandboxId, 60_000);
  const rules = new Map<string, SandboxNetworkRule[]>([['example.com', [{}]]]);
  await sandbox.updateNetwork({ allowOut: ['example.com'], denyOut: [ALL_TRAFFIC], rules });

  const paused: boolean[] = [
    await sandbox.pause({ keepMemory: false }),
    await sandbox.betaPause(),
    await Sandbox.betaPause(sandbox.sandboxId),
  ];
  const resumed: Sandbox = await sandbox.connect({ timeoutMs: 60_000 });
  for (const fork of await resumed.fork({ count: 2, timeoutMs: 60_000 })) {
    seen.push(fork instanceof Error ? fork.message : fork.sandboxId);
  }
  for (const fork of await Own.fork(own.sandboxId)) {
    if (fork instanceof Own) seen.push(fork.greet());
  }

  const snapshot: SnapshotInfo = await sandbox.createSnapshot({ name: 'mine' });
  const listed: SnapshotInfo[] = await sandbox.listSnapshots({ limit: 5 }).nextItems();
  seen.push(
    ...listed.flatMap(({ names }) => names),
    String(await Sandbox.deleteSnapshot(snapshot.snapshotId)),
  );

  seen.push(`https://${sandbox.getHost(3000)}`, sandbox.trafficAccessToken ?? '', sandbox.getMcpUrl());
  const token: string | undefined = await sandbox.getMcpToken();
  seen.push(
    token ?? '',
    await sandbox.uploadUrl(),
    await sandbox.downloadUrl('a', { useSignatureExpiration: 60 }),
  );

  const client = new E2B({ apiKey: 'e2b_00', domain: 'other.example' });
  const bound: Sandbox = await client.Sandbox.create();
  if (await bound.isRunning({ signal })) await bound.kill({ requestTimeoutMs: 1000 });
  return [...seen, ...paused.map(String), String(await Sandbox.kill(sandbox.sandboxId))];
}
