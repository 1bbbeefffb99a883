/**
 * `node test/bench/broker.mjs`: what a broker adds to a call, what a token costs, what memory a file takes that streams
 * through it, and how many streams it holds. Ways that are compared take turns.
 */
import { randomBytes } from 'node:crypto';
import { Sandbox } from 'e2b-edge';
import { download, mintSession, openStream, upload } from './support/broker-page.mjs';
import { startChild } from './support/child.mjs';
import { inTurn } from './support/in-turn.mjs';
import { peakMegabytes, processorSeconds, residentMegabytes } from './support/memory.mjs';
import { report } from './support/report.mjs';
import { startServerProcess } from './support/server-process.mjs';
import { quantile, summary } from './support/statistics.mjs';
import { measureTokens } from './support/token-checks.mjs';
import { startWorkerBroker } from './support/worker-broker.mjs';

const megabyte = 2 ** 20;
const rounds = Number(process.env.ROUNDS ?? 5);
const calls = Number(process.env.CALLS ?? 200);
const largest = Number(process.env.MEGABYTES ?? 1024);
const mostStreams = Number(process.env.STREAMS ?? 500);
/** Longer than it takes to look for sessions that were revoked. */
const holdMs = Number(process.env.HOLD_MS ?? 35_000);
const sandboxId = 'bench';
const signingKey = randomBytes(32).toString('base64');
const rows = [];

await latency();
rows.push(...(await measureTokens(rounds)));
await withUpstream(async (upstream) => {
  const options = { apiKey: 'key', apiUrl: upstream.url, sandboxUrl: upstream.url, signingKey, sandboxId };
  const worker = await startWorkerBroker(options);
  await files('Worker', worker, '≤ 20').finally(worker.close);
  const node = await startChild('broker-child.mjs', options);
  await files('Node', node);
  await node.close();
  const fresh = await startChild('broker-child.mjs', options);
  await openStreams(fresh, upstream);
  await throughput(fresh, upstream);
  await fresh.close();
});
report('broker', rows);

/** One call at a time, to a sandbox of the local server: straight, over the barest hop, and through a broker. */
async function latency() {
  const server = await startServerProcess();
  const { apiUrl, sandboxUrl, apiKey } = server;
  try {
    const sandbox = await Sandbox.create('base', { apiUrl, sandboxUrl, apiKey });
    const detail = await fetch(`${apiUrl}/sandboxes/${sandbox.sandboxId}`, {
      headers: { 'x-api-key': apiKey },
    });
    const { envdAccessToken } = await detail.json();
    const direct = {
      'e2b-sandbox-id': sandbox.sandboxId,
      'e2b-sandbox-port': '49983',
      'x-access-token': envdAccessToken,
    };
    const options = { apiKey, apiUrl, sandboxUrl, signingKey, sandboxId: sandbox.sandboxId, hop: direct };
    const broker = await startChild('broker-child.mjs', options);
    const session = await mintSession(broker.url);
    const targets = {
      straight: { url: sandboxUrl, headers: direct },
      'bare hop': { url: broker.hopUrl, headers: {} },
      broker: session,
    };
    for (const [procedure, body] of [
      ['filesystem.Filesystem/Stat', '{"path":"/home/user"}'],
      ['process.Process/List', '{}'],
    ])
      await oneProcedure(targets, procedure, body);
    await broker.close();
    await sandbox.kill();
  } finally {
    await server.close();
  }
}

async function oneProcedure(targets, procedure, body) {
  const call = async ({ url, headers }) => {
    const answer = await fetch(`${url}/${procedure}`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body,
    });
    if (!answer.ok) throw new Error(await answer.text());
    await answer.arrayBuffer();
  };
  for (const target of Object.values(targets)) for (let warm = 0; warm < 50; warm++) await call(target);
  const medians = Object.fromEntries(Object.keys(targets).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    const times = Object.fromEntries(Object.keys(targets).map((name) => [name, []]));
    for (let turn = 0; turn < calls; turn++) {
      for (const [name, target] of inTurn(targets, turn)) {
        const start = performance.now();
        await call(target);
        times[name].push(performance.now() - start);
      }
    }
    for (const [name, all] of Object.entries(times)) medians[name].push(quantile(all, 0.5));
  }
  const [, method] = procedure.split('/');
  for (const [name, all] of Object.entries(medians)) add(`${method}, p50: ${name}`, all, 'ms');
  const added = (name, other) => medians[name].map((value, at) => value - medians[other][at]);
  add(`${method}, added p50: broker to straight`, added('broker', 'straight'), 'ms', '≤ 1');
  add(`${method}, added p50: bare hop to straight`, added('bare hop', 'straight'), 'ms');
  add(`${method}, added p50: broker to bare hop`, added('broker', 'bare hop'), 'ms');
}

/** Files that stream through: the most memory over what the process has when it is idle. */
async function files(name, broker, goal) {
  const session = await mintSession(broker.url);
  for (const [what, move] of Object.entries({ download, upload })) {
    for (let warm = 0; warm < 3; warm++) await move(session, 8 * megabyte);
    for (const size of [...[1, 10, 100].filter((one) => one < largest), largest]) {
      const [memory, speed] = [[], []];
      for (let round = 0; round < (size > 100 ? 2 : rounds); round++) {
        await settle();
        const idle = residentMegabytes(broker.pid);
        const start = performance.now();
        const peak = await peakMegabytes(broker.pid, () => move(session, size * megabyte));
        speed.push(size / ((performance.now() - start) / 1000));
        memory.push(peak - idle);
      }
      add(`${what}, ${name}: memory over idle`, memory, 'MB', size === largest && goal, size);
      add(`${what}, ${name}`, speed, 'MB/s', undefined, size);
    }
  }
}

/** Sessions with an open stream each: all are told of what happens, at once and after a while. */
async function openStreams(broker, upstream) {
  const idle = residentMegabytes(broker.pid);
  const open = [];
  for (const size of [...[1, 10, 100].filter((one) => one < mostStreams), mostStreams]) {
    while (open.length < size) {
      const session = await mintSession(broker.url, `user ${open.length}`);
      const one = { bytes: 0 };
      one.stream = await openStream(session, (bytes) => {
        one.bytes += bytes;
        one.onData?.();
      });
      open.push(one);
    }
    const isLast = size === mostStreams;
    const times = [];
    for (let round = 0; round < rounds; round++) times.push(await tickAll(open, upstream));
    add('streams: until all have what is told to all', times, 'ms', undefined, size);
    const memory = (residentMegabytes(broker.pid) - idle) / size;
    rows.push({ what: 'streams: memory for each', size, value: memory * 1024, unit: 'KB' });
    if (!isLast) continue;
    const before = processorSeconds(broker.pid);
    await new Promise((resolve) => setTimeout(resolve, holdMs));
    const processor = ((processorSeconds(broker.pid) - before) / holdMs) * 1e5;
    rows.push({ what: 'streams: processor while nothing is told', size, value: processor, unit: '%' });
    await tickAll(open, upstream);
    const alive = open.filter(({ stream }) => stream.isOpen()).length;
    rows.push({
      what: 'streams: alive, and told, after a while',
      size,
      value: alive,
      unit: '',
      goal: `≥ ${mostStreams}`,
    });
  }
  for (const { stream } of open) stream.close();
  while ((await upstream.ask({})).streams > 0) await settle();
}

async function tickAll(open, upstream) {
  const before = open.map(({ bytes }) => bytes);
  const start = performance.now();
  const told = open.map(
    (one, at) =>
      new Promise((resolve) => {
        one.onData = () => one.bytes > before[at] && resolve();
      }),
  );
  await upstream.ask({ tick: true });
  await Promise.all(told);
  return performance.now() - start;
}

/** The same amount of output over more and more streams at once: straight, and through the broker. */
async function throughput(broker, upstream) {
  const total = Math.min(largest, 100) * megabyte;
  for (const size of [1, 10, 100]) {
    const speeds = { straight: [], broker: [] };
    const processor = [];
    for (let round = 0; round < rounds; round++) {
      const targets = { straight: { url: upstream.url, headers: {} }, broker: undefined };
      for (const [name, target] of inTurn(targets, round)) {
        const before = processorSeconds(broker.pid);
        const sessions = [];
        for (let at = 0; at < size; at++)
          sessions.push(target ?? (await mintSession(broker.url, `${round} ${at}`)));
        const streams = await Promise.all(sessions.map((one) => openStream(one, () => undefined)));
        const start = performance.now();
        await Promise.all([upstream.ask({ bytes: total / size }), ...streams.map(({ ended }) => ended)]);
        speeds[name].push(total / megabyte / ((performance.now() - start) / 1000));
        if (name === 'broker')
          processor.push(((processorSeconds(broker.pid) - before) / total) * megabyte * 1024);
      }
    }
    for (const [name, all] of Object.entries(speeds))
      add(`output over streams: ${name}`, all, 'MB/s', undefined, size);
    const ratios = speeds.broker.map((value, at) => value / speeds.straight[at]);
    add('output over streams: broker to straight', ratios, '×', undefined, size);
    add('output over streams: processor of the broker', processor, 's/GB', undefined, size);
  }
}

async function withUpstream(work) {
  const upstream = await startChild('upstream-child.mjs', { sandboxId });
  await work(upstream).finally(upstream.close);
}

function add(what, values, unit, goal, size) {
  const { median, low, high } = summary(values);
  rows.push({
    what,
    ...(size !== undefined && { size }),
    value: median,
    low,
    high,
    unit,
    ...(goal && { goal }),
  });
}

function settle() {
  return new Promise((resolve) => setTimeout(resolve, 300));
}
