/**
 * `node test/bench/rpc.mjs`: how fast output comes and how long a command takes, by turns on one local server: `fetch`
 * alone, Connect's own reader, this package, and the official one.
 */
import { Sandbox as OfficialSandbox } from 'e2b';
import { Sandbox } from 'e2b-edge';
import { inTurn } from './support/in-turn.mjs';
import { report } from './support/report.mjs';
import { startServerProcess } from './support/server-process.mjs';
import { quantile, summary } from './support/statistics.mjs';
import { readRaw, readWithConnect, readWithEdge, runToEnd } from './support/stdout-readers.mjs';

const megabyte = 2 ** 20;
const sizes = [1, 10, 100, 256];
const rounds = Number(process.env.ROUNDS ?? 5);
const commands = Number(process.env.COMMANDS ?? 300);
const rows = [];

const server = await startServerProcess();
const { apiUrl, sandboxUrl, apiKey } = server;
const connection = { apiUrl, sandboxUrl, apiKey };
try {
  const edge = await Sandbox.create('base', connection);
  const official = await OfficialSandbox.connect(edge.sandboxId, connection);
  const target = await targetOf(edge.sandboxId);
  await output(edge, official, target);
  await latency(edge, official, target);
  await edge.kill();
} finally {
  await server.close();
}
report('rpc', rows);

async function targetOf(sandboxId) {
  const answer = await fetch(`${apiUrl}/sandboxes/${sandboxId}`, { headers: { 'x-api-key': apiKey } });
  const { envdAccessToken } = await answer.json();
  return {
    url: sandboxUrl,
    headers: {
      'e2b-sandbox-id': sandboxId,
      'e2b-sandbox-port': '49983',
      'x-access-token': envdAccessToken,
    },
  };
}

async function output(edge, official, target) {
  const readers = {
    fetch: (command) => readRaw(target, command),
    Connect: (command) => readWithConnect(target, command),
    'e2b-edge': (command) => readWithEdge(edge, command),
    'e2b-edge, run': (command) => runToEnd(edge, command),
    'e2b, run': (command) => runToEnd(official, command),
  };
  const pairs = [
    ['e2b-edge', 'fetch'],
    ['e2b-edge', 'Connect', '≥ 0.9'],
    ['e2b-edge, run', 'e2b, run', '≥ 3'],
  ];
  for (const size of sizes) {
    const seconds = Object.fromEntries(Object.keys(readers).map((name) => [name, []]));
    const cpu = Object.fromEntries(Object.keys(readers).map((name) => [name, []]));
    for (let round = 0; round < rounds; round++) {
      for (const [name, read] of inTurn(readers, round)) {
        const [start, cpuBefore] = [performance.now(), process.cpuUsage()];
        const bytes = await read(`head -c ${size * megabyte} /dev/zero`);
        // Of the raw body the envelopes count too.
        if (bytes < size * megabyte) throw new Error(`${name}: ${bytes} bytes came of ${size} MB`);
        seconds[name].push((performance.now() - start) / 1000);
        const { user, system } = process.cpuUsage(cpuBefore);
        cpu[name].push((user + system) / 1000);
      }
    }
    for (const [name, times] of Object.entries(seconds)) {
      const { median, low, high } = summary(times.map((time) => size / time));
      rows.push({ what: `stdout: ${name}`, size, value: median, low, high, unit: 'MB/s' });
    }
    for (const [name, other, goal] of pairs) {
      addRatio(
        `stdout, ${size} MB: ${name} to ${other}`,
        seconds[other],
        seconds[name],
        size === 256 && goal,
      );
      addRatio(`processor time, ${size} MB: ${name} to ${other}`, cpu[name], cpu[other]);
    }
  }
}

/** Of each round by itself: what slows the machine down slows both. */
function addRatio(what, over, under, goal) {
  const { median, low, high } = summary(over.map((value, at) => value / under[at]));
  rows.push({ what, value: median, low, high, unit: '×', ...(goal && { goal }) });
}

async function latency(edge, official, target) {
  const ways = {
    fetch: () => readRaw(target, 'true'),
    'e2b-edge': () => edge.commands.run('true'),
    e2b: () => official.commands.run('true'),
  };
  const times = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
  for (let turn = 0; turn < commands; turn++) {
    for (const [name, run] of inTurn(ways, turn)) {
      const start = performance.now();
      await run();
      times[name].push(performance.now() - start);
    }
  }
  for (const [share, label] of [
    [0.5, 'p50'],
    [0.99, 'p99'],
  ]) {
    const of = (name) => quantile(times[name], share);
    for (const name of Object.keys(ways))
      rows.push({ what: `commands.run('true'), ${label}: ${name}`, value: of(name), unit: 'ms' });
    const toFetch = {
      what: `commands.run('true'), ${label}: e2b-edge to fetch`,
      value: of('e2b-edge') / of('fetch'),
    };
    rows.push({ ...toFetch, unit: '×', ...(share === 0.5 && { goal: '≤ 1.1' }) });
    const toOfficial = {
      what: `commands.run('true'), ${label}: e2b-edge to e2b`,
      value: of('e2b-edge') / of('e2b'),
    };
    rows.push({ ...toOfficial, unit: '×', goal: '≤ 1.0' });
  }
}
