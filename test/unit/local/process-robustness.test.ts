import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:http2';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Envd, startEnvd } from './support/envd.js';
import { envelope, sh } from './support/rpc.js';
import { until } from './support/until.js';

let envd: Envd;

beforeAll(async () => {
  envd = await startEnvd();
  // Everything that is loaded or opened at first use.
  await Promise.all([finished({}), finished({ pty: {} })]);
});
afterAll(() => envd.close());

const post = async (method: string, body: unknown) =>
  JSON.parse((await envd.request('POST', `/process.Process/${method}`, body)).text);
const descriptors = (of = envd): number => readdirSync(`/proc/${of.pid}/fd`).length;
const children = (): number[] =>
  readFileSync(`/proc/${envd.pid}/task/${envd.pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
const residentMiB = (): number =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${envd.pid}/status`, 'utf8'))?.[1]) / 1024;

/** Starts a process and reads its stream to the end. */
async function finished(fields: object, command = 'true'): Promise<string> {
  const body = { ...(sh(command) as object), ...fields };
  return new Promise((resolve, reject) => {
    const stream = open('Start');
    let text = '';
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    stream.once('end', () => resolve(text));
    stream.once('error', reject);
    stream.end(envelope(body));
  });
}

function open(method: string) {
  return envd.session.request({
    ':method': 'POST',
    ':path': `/process.Process/${method}`,
    'content-type': 'application/connect+json',
  });
}

/** Also those that were asked for and are about to be started. */
async function killAll(): Promise<void> {
  await until('no process is left', async () => {
    const { processes = [] } = await post('List', {});
    for (const { pid } of processes) await post('SendSignal', { process: { pid }, signal: 9 });
    return processes.length === 0 && children().length === 0;
  });
}

/** The same numbers every time, so that a failure can be seen again. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test('500 requests that are broken off anywhere leave nothing', async () => {
  const before = { descriptors: descriptors(), residentMiB: residentMiB() };
  const next = random(20_261_123);
  const pick = <T>(among: readonly T[]): T => among[Math.floor(next() * among.length)]!;
  const commands = ['true', 'cat', 'seq 100000', 'sleep 300', 'yes', 'head -c 3000000 /dev/zero', 'exit 3'];
  const codes = [
    constants.NGHTTP2_CANCEL,
    constants.NGHTTP2_INTERNAL_ERROR,
    constants.NGHTTP2_REFUSED_STREAM,
  ];
  const seen: number[] = [];

  async function once(): Promise<void> {
    const pid = seen.length > 0 ? pick(seen) : 1;
    const selector = { process: { pid } };
    const input = { input: { stdin: Buffer.alloc(Math.floor(next() * 100_000), 'x').toString('base64') } };
    const [method, messages] = pick([
      ['Start', [sh(pick(commands))]],
      ['Start', [{ ...(sh(pick(commands)) as object), stdin: true }]],
      ['Start', [{ ...(sh(pick(commands)) as object), pty: { size: { cols: 80, rows: 24 } } }]],
      ['Connect', [selector]],
      ['StreamInput', [{ start: selector }, { data: input }, { data: input }]],
    ] as const);
    const body = Buffer.concat(messages.map((one) => envelope(one)));
    const stream = open(method);
    stream.on('error', () => {});
    stream.on('data', (chunk: Buffer) => {
      const found = /"pid":(\d+)/.exec(chunk.toString('latin1'))?.[1];
      if (found) seen.push(Number(found));
    });
    if (next() < 0.2) stream.pause();
    const closed = new Promise<void>((resolve) => stream.once('close', () => resolve()));
    stream.write(body.subarray(0, next() < 0.3 ? Math.floor(next() * body.length) : body.length));
    if (next() < 0.5) stream.end();
    await delay(next() ** 2 * 200);
    stream.close(pick(codes));
    // What was not read would keep it open on this side.
    stream.resume();
    await closed;
  }

  for (let round = 0; round < 25; round++) {
    await Promise.all(Array.from({ length: 20 }, once));
    await killAll();
  }
  await until('its descriptors are closed', () => descriptors() <= before.descriptors);
  expect(seen.length).toBeGreaterThan(10);
  expect(residentMiB() - before.residentMiB).toBeLessThan(200);
  expect(await finished({}, 'echo well')).toContain(Buffer.from('well\n').toString('base64'));
});

test('400 processes at once are all told apart, and leave nothing', async () => {
  const before = descriptors();
  const outputs = await Promise.all(
    Array.from({ length: 400 }, (_, i) => finished({}, `sleep 1; echo number ${i}; exit ${i % 200}`)),
  );
  outputs.forEach((output, i) => {
    expect(output).toContain(Buffer.from(`number ${i}\n`).toString('base64'));
    expect(output).toContain(`exit status ${i % 200}`);
  });
  await until('its descriptors are closed', () => descriptors() <= before);
});

// Each number runs out at another place of a start.
test.each([60, 61, 62, 63])(
  'one process too many for %i descriptors is refused, the others go on',
  async (limit) => {
    const small = await startEnvd([`--nofile=${limit}:${limit}`]);
    const start = (fields: object): Promise<string> =>
      new Promise((resolve, reject) => {
        const stream = small.session.request({
          ':method': 'POST',
          ':path': '/process.Process/Start',
          'content-type': 'application/connect+json',
        });
        stream.once('data', (chunk: Buffer) => resolve(chunk.toString('utf8')));
        stream.once('error', reject);
        stream.end(envelope({ ...(sh('exec sleep 300') as object), ...fields }));
      });
    try {
      await small.request('POST', '/process.Process/List', {});
      const before = descriptors(small);
      const answers: string[] = [];
      for (let i = 0; i < 40; i++) answers.push(await start(i % 2 ? { pty: {} } : {}));
      expect(answers[0]).toContain('"start"');
      expect(answers.at(-2)).toMatch(/error starting process [^"]*: too many open files/);
      expect(answers.at(-1)).toMatch(
        /error starting pty [^"]*: no more terminals or processes can be started/,
      );
      const { text } = await small.request('POST', '/process.Process/List', {});
      const { processes } = JSON.parse(text);
      expect(processes.length).toBe(answers.filter((one) => one.includes('"start"')).length);
      for (const { pid } of processes) {
        await small.request('POST', '/process.Process/SendSignal', { process: { pid }, signal: 9 });
      }
      await until('its descriptors are closed', () => descriptors(small) <= before);
    } finally {
      await small.close();
    }
  },
);

test('a start works when the pipes that lay ready were removed', async () => {
  await finished({}, `rm -rf ${envd.root}/run/*`);
  for (let i = 0; i < 3; i++) {
    expect(await finished({}, 'echo well')).toContain(Buffer.from('well\n').toString('base64'));
  }
});

test('output that nobody takes is not kept', async () => {
  const before = residentMiB();
  for (let i = 0; i < 20; i++) {
    const stream = open('Start');
    stream.on('error', () => {});
    stream.pause();
    stream.end(envelope(sh('exec yes')));
  }
  await until('they run', async () => (await post('List', {})).processes?.length === 20);
  await delay(1000);
  expect(residentMiB() - before).toBeLessThan(150);
  await killAll();
});
