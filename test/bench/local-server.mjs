/**
 * `npm run bench:local`: how fast the local server makes sandboxes, how many it holds, what they cost it, and how
 * its output compares with a real envd's, where one is given by `ENVD_URL` (on loopback, without a token).
 */
import { freemem } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { Sandbox } from 'e2b-edge';
import { readStdout } from './support/read-stdout.mjs';
import { report } from './support/report.mjs';
import { startServerProcess } from './support/server-process.mjs';
import { quantile, summary } from './support/statistics.mjs';

const megabyte = 2 ** 20;
const rounds = 5;
const rows = [];

const server = await startServerProcess();
const { apiUrl, sandboxUrl, apiKey } = server;
const connection = { apiUrl, sandboxUrl, apiKey };
console.log(`isolation: ${server.isolation}\n`);
try {
  await createNowAndThen();
  await createBackToBack();
  for (const count of [1, 10, 100, 200]) await manyAtOnce(count);
  await output();
} finally {
  await server.close();
}
report('local-server', rows);

/** Now and then, as a developer does it: the server keeps a few ready ahead of need. Each counts when it works. */
async function createNowAndThen() {
  const times = [];
  for (let round = 0; round < 30; round++) {
    const start = performance.now();
    const sandbox = await Sandbox.create('base', connection);
    times.push(performance.now() - start);
    await sandbox.commands.run('true');
    await sandbox.kill();
    await delay(200);
  }
  addTimes('create, now and then', times, '≤ 100');
}

/** One after another without a pause, so that none is ready. */
async function createBackToBack() {
  const [times, made] = [[], []];
  for (let round = 0; round < 30; round++) {
    const start = performance.now();
    made.push(await Sandbox.create('base', connection));
    times.push(performance.now() - start);
  }
  addTimes('create, back to back', times.slice(5), '≤ 100');
  await Promise.all(made.map((sandbox) => sandbox.kill()));
}

function addTimes(what, times, goal) {
  const [low, high] = [Math.min(...times), Math.max(...times)];
  rows.push(
    { what: `${what}, p50`, value: quantile(times, 0.5), low, high, unit: 'ms', goal },
    { what: `${what}, p90`, value: quantile(times, 0.9), unit: 'ms' },
  );
}

async function manyAtOnce(count) {
  const heapBefore = await server.heapUsed();
  const memoryBefore = freemem();
  const start = performance.now();
  const made = await Promise.all(Array.from({ length: count }, () => Sandbox.create('base', connection)));
  const seconds = (performance.now() - start) / 1000;
  const worked = await Promise.all(made.map((sandbox) => sandbox.commands.run('echo works')));
  if (worked.some(({ stdout }) => stdout !== 'works\n')) throw new Error('a sandbox did not work');
  const heap = ((await server.heapUsed()) - heapBefore) / count;
  rows.push(
    {
      what: 'sandboxes at once, all working after',
      size: count,
      value: seconds,
      unit: 's',
      ...(count === 200 && { goal: 'all work' }),
    },
    {
      what: "server's heap for each",
      size: count,
      value: Math.max(heap, 0) / megabyte,
      unit: 'MB',
      ...(count > 1 && { goal: '≤ 5' }),
    },
    {
      what: "machine's memory for each",
      size: count,
      value: Math.max(memoryBefore - freemem(), 0) / count / megabyte,
      unit: 'MB',
    },
  );
  await Promise.all(made.map((sandbox) => sandbox.kill()));
}

/** The same command through the same client, by turns. */
async function output() {
  const envd = process.env.ENVD_URL;
  const sandbox = await Sandbox.create('base', connection);
  const { envdAccessToken } = await (
    await fetch(`${apiUrl}/sandboxes/${sandbox.sandboxId}`, { headers: { 'x-api-key': apiKey } })
  ).json();
  const local = {
    url: sandboxUrl,
    headers: {
      'e2b-sandbox-id': sandbox.sandboxId,
      'e2b-sandbox-port': '49983',
      'x-access-token': envdAccessToken,
    },
  };
  for (const size of [1, 10, 100, 256]) {
    const speeds = { local: [], real: [] };
    for (let round = 0; round < rounds; round++) {
      speeds.local.push(await megabytesPerSecond(local, size));
      if (envd) speeds.real.push(await megabytesPerSecond({ url: envd, headers: {} }, size));
    }
    const { median, low, high } = summary(speeds.local);
    rows.push({ what: 'stdout, local server', size, value: median, low, high, unit: 'MB/s' });
    if (!envd) continue;
    const real = summary(speeds.real);
    rows.push({
      what: 'stdout, real envd',
      size,
      value: real.median,
      low: real.low,
      high: real.high,
      unit: 'MB/s',
    });
    const ratios = summary(speeds.local.map((speed, at) => speed / speeds.real[at]));
    rows.push({
      what: 'stdout, local to real',
      size,
      value: ratios.median,
      low: ratios.low,
      high: ratios.high,
      unit: '×',
      ...(size === 256 && { goal: '≥ 0.5' }),
    });
  }
  if (!envd) console.log('No ENVD_URL is given: the output is not compared with a real envd.\n');
  await sandbox.kill();
}

async function megabytesPerSecond(target, megabytes) {
  const start = performance.now();
  const bytes = await readStdout(target, `head -c ${megabytes * megabyte} /dev/zero`);
  if (bytes !== megabytes * megabyte) throw new Error(`${bytes} bytes came of ${megabytes} MB`);
  return megabytes / ((performance.now() - start) / 1000);
}
