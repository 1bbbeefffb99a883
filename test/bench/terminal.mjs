/**
 * `node test/bench/terminal.mjs`: what the terminal's WebSocket through a broker adds to a key's echo, how fast output comes
 * through a relay, and how soon a terminal is back after its link was gone. Ways that are compared take turns.
 */
import { randomBytes } from 'node:crypto';
import { Sandbox } from 'e2b-edge';
import { Sandbox as PageSandbox } from 'e2b-edge/browser';
import { WebSocket } from 'ws';
import { openSocketChannel } from '../../dist/channel/socket-channel.js';
import { startChild } from './support/child.mjs';
import { Echo } from './support/echo.mjs';
import { inTurn } from './support/in-turn.mjs';
import { openRawPty } from './support/raw-pty.mjs';
import { report } from './support/report.mjs';
import { startServerProcess } from './support/server-process.mjs';
import { openSlowLink } from './support/slow-link.mjs';
import { quantile, summary } from './support/statistics.mjs';

const megabyte = 2 ** 20;
const rounds = Number(process.env.ROUNDS ?? 5);
const keys = Number(process.env.KEYS ?? 300);
const sizes = [1, 10, 100];
const roundTrips = [0, 40, 200];
const rows = [];

await echo();
const relay = await startChild('relay-child.mjs', {});
try {
  await bulk();
  await resume();
} finally {
  await relay.close();
}
report('terminal', rows);

/** One key at a time into one shell, whose echo each way waits for on a stream of its own. */
async function echo() {
  const server = await startServerProcess();
  const { apiUrl, sandboxUrl, apiKey } = server;
  const signingKey = randomBytes(32).toString('base64');
  const sandbox = await Sandbox.create('base', { apiUrl, sandboxUrl, apiKey });
  const { sandboxId } = sandbox;
  const broker = await startChild('broker-child.mjs', { apiKey, apiUrl, sandboxUrl, signingKey, sandboxId });
  try {
    const page = await PageSandbox.connect({ session: await mint(broker.url), WebSocket });
    const straight = await targetOf(server, sandboxId);
    const listeners = { 'raw Connect': new Echo(), broker: new Echo() };
    const terminal = await page.pty.create({
      cols: 80,
      rows: 24,
      onData: (data) => listeners.broker.take(data),
    });
    const raw = await openRawPty(straight, terminal.pid, (data) => listeners['raw Connect'].take(data));
    const encoder = new TextEncoder();
    const ways = {
      'raw Connect': (key) => raw.send(encoder.encode(key)),
      broker: (key) => terminal.channel.send(encoder.encode(key)),
    };
    const start = Object.values(listeners).map((listener) => listener.await('ready'));
    // No line editor, no echo by the kernel: a program that gives back each byte as it comes.
    await raw.send('stty raw -echo; echo re""ady; exec cat\n');
    await Promise.all(start);
    const all = { 'raw Connect': [], broker: [] };
    for (let round = 0; round < rounds; round++) {
      const times = { 'raw Connect': [], broker: [] };
      for (let turn = 0; turn < keys; turn++) {
        for (const [name, send] of inTurn(ways, turn)) {
          const key = String.fromCharCode(97 + (turn % 26));
          const seen = Object.entries(listeners).map(([way, listener]) =>
            listener.await(key).then(() => way === name && performance.now()),
          );
          const begin = performance.now();
          const [, ...ends] = await Promise.all([send(key), ...seen]);
          if (round > 0 || turn > 20) times[name].push(ends.find(Boolean) - begin);
        }
      }
      for (const [name, values] of Object.entries(times)) all[name].push(values);
    }
    for (const [share, label, goal] of [
      [0.5, 'p50', '≤ 1'],
      [0.99, 'p99', '≤ 5'],
    ]) {
      const of = (name) => all[name].map((values) => quantile(values, share));
      for (const name of Object.keys(ways)) add(`echo of a key, ${label}: ${name}`, of(name), 'ms');
      const added = of('broker').map((value, at) => value - of('raw Connect')[at]);
      add(`echo of a key, added ${label}: broker to raw Connect`, added, 'ms', goal);
    }
    raw.close();
    await terminal.kill();
  } finally {
    await broker.close();
    await sandbox.kill();
    await server.close();
  }
}

/** The same bytes through the relay, and through a WebSocket alone. */
async function bulk() {
  const ways = { WebSocket: readRaw, relay: readRelay };
  for (const read of Object.values(ways)) await read(megabyte);
  for (const size of sizes) {
    const speeds = { WebSocket: [], relay: [] };
    for (let round = 0; round < rounds; round++) {
      for (const [name, read] of inTurn(ways, round)) {
        speeds[name].push(size / ((await read(size * megabyte)) / 1000));
      }
    }
    for (const [name, values] of Object.entries(speeds))
      add(`output: ${name}`, values, 'MB/s', undefined, size);
    const ratios = speeds.relay.map((value, at) => value / speeds.WebSocket[at]);
    add('output: relay to WebSocket', ratios, '×', size === sizes.at(-1) ? '≥ 0.8' : undefined, size);
  }
}

async function readRaw(bytes) {
  const socket = new WebSocket(`ws://127.0.0.1:${relay.port}/raw/${bytes}`, { perMessageDeflate: false });
  await new Promise((resolve) => socket.once('open', resolve));
  const start = performance.now();
  socket.send('start');
  await new Promise((resolve) => {
    let taken = 0;
    socket.on('message', (data) => {
      taken += data.length;
      if (taken === bytes) resolve();
    });
  });
  const time = performance.now() - start;
  socket.close();
  return time;
}

async function readRelay(bytes) {
  const channel = await openTerminal(`ws://127.0.0.1:${relay.port}/relay/${bytes}`);
  const start = performance.now();
  void channel.send(new TextEncoder().encode('start'));
  let taken = 0;
  for await (const event of channel) {
    if (event.type === 'gap') throw new Error(`a gap: ${event.reason}`);
    if (event.type !== 'output') continue;
    taken += event.data.length;
    channel.ack(taken);
    if (taken === bytes) break;
  }
  const time = performance.now() - start;
  channel.close();
  return time;
}

/** The link is cut, the page hears that it is back, and tries at once: how long until output comes again? */
async function resume() {
  for (const roundTripMs of roundTrips) {
    const link = await openSlowLink(relay.port, roundTripMs / 2);
    const times = [];
    for (let round = 0; round < rounds; round++) {
      const channel = await openTerminal(`ws://127.0.0.1:${link.port}/relay/${megabyte}`);
      const events = channel[Symbol.asyncIterator]();
      void channel.send(new TextEncoder().encode('start'));
      // Nothing is acknowledged, so that the relay stops, with most of the output still to come.
      const next = (await readWhileItComes(events)).next;
      link.down();
      while (channel.status.state !== 'reconnecting') await pause(5);
      await pause(300 + 50 * round);
      const start = performance.now();
      link.up();
      channel.reconnect();
      channel.ack(256 * 1024);
      await next;
      times.push(performance.now() - start);
      channel.close();
    }
    await link.close();
    add(`resume, round trip of ${roundTripMs} ms`, times, 'ms', `≤ ${4 * roundTripMs + 250}`);
  }
}

/** The next event, which does not come while the relay holds back. */
async function readWhileItComes(events) {
  for (;;) {
    const next = events.next();
    if ((await Promise.race([next, pause(200 + 2 * Math.max(...roundTrips))])) === undefined) return { next };
  }
}

function openTerminal(url) {
  const token = randomBytes(8).toString('hex');
  return openSocketChannel({
    url,
    token: () => token,
    target: { create: { size: { cols: 80, rows: 24 } } },
    size: { cols: 80, rows: 24 },
    WebSocket,
  });
}

async function mint(url) {
  const answer = await fetch(`${url}/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  if (answer.status !== 201) throw new Error(await answer.text());
  const session = await answer.json();
  const urls = Object.entries(session.urls).map(([name, path]) => [name, new URL(path, url).href]);
  return { ...session, urls: Object.fromEntries(urls) };
}

async function targetOf({ apiUrl, sandboxUrl, apiKey }, sandboxId) {
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

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function add(what, values, unit, goal, size) {
  const { median, low, high } = summary(values);
  rows.push({ what, ...(size && { size }), value: median, low, high, unit, ...(goal && { goal }) });
}
