/** The storm: seeded courses through a broker in one runtime, with a real shell behind it. */

import { Sandbox as KeySandbox } from 'e2b-edge';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { BrokerStage } from '../../broker/broker-stage.js';
import type { HostName } from '../../broker/start-host.js';
import { drawFate } from '../support/draw-fate.js';
import { seeded } from '../support/random.js';
import { type Happened, TcpProxy } from '../support/tcp-proxy.js';
import { type Course, type CourseReport, marker, runCourse, sha256 } from './course.js';

/** How many random courses a runtime gets: `FAULT_SEEDS=1000 npm run faults`. */
const seeds = Number(process.env.FAULT_SEEDS ?? 50);
const firstSeed = Number(process.env.FAULT_FIRST_SEED ?? 1);
/** Most of a course is waiting. */
const atOnce = 8;
const bursts = 80;

export interface Storm {
  /** Of the broker, with the relay in it. */
  runtime: HostName;
  /** The name of the client's runtime, where that is not Node, */
  player?: string;
  /** and how it plays a course. */
  play?: (course: Course) => Promise<CourseReport>;
}

const inNode = (course: Course) => runCourse(course, WebSocket);

export function defineStorm({ runtime, player = 'node', play = inNode }: Storm): void {
  const stage = new BrokerStage(runtime);
  let sandbox: KeySandbox;
  beforeAll(async () => {
    await stage.start();
    const { apiKey, apiUrl, sandboxUrl } = stage.local;
    sandbox = await KeySandbox.create('base', { apiKey, apiUrl, sandboxUrl, timeoutMs: 3_600_000 });
  });
  afterAll(() => stage.close());

  /** Runs one, and gives how often its connection broke and how many bytes went through. */
  async function run(seed: number): Promise<{ troubles: Happened[]; bytes: number }> {
    const random = seeded(seed + 1_000_000);
    const troubled = 10 + random.below(10);
    // The last connection holds.
    const fate = (connection: number) => (connection < troubled ? drawFate(seed, connection) : {});
    const session = await stage
      .at('default')
      .session({ subject: `storm-${seed}`, sandbox: { id: sandbox.sandboxId } });
    const proxy = await TcpProxy.listen(Number(new URL(stage.host.url).port), fate);
    try {
      const url = new URL(session.urls.pty);
      url.port = String(proxy.port);
      const output = random.bytes(20_000 + random.below(60_000));
      const inputBytes = 5_000 + random.below(15_000);
      const name = `storm-${seed}`;
      await sandbox.files.write(`${name}.out`, new Blob([output as Uint8Array<ArrayBuffer>]));
      await sandbox.files.write(`${name}.sh`, programOf(name, output.length, inputBytes));
      const line = `exec bash ~/${name}.sh\n`;
      const report = await play({ seed, url: url.href, token: session.token, line, inputBytes });
      expect(report).toEqual({
        outputBytes: output.length,
        outputHash: await sha256(output),
        lastLine: `${report.inputHash}\n`,
        inputHash: report.inputHash,
        refused: [],
        events: [expect.objectContaining({ type: 'exit', exitCode: 7 })],
        reconnects: report.reconnects,
      });
      return { troubles: proxy.troubles, bytes: proxy.bytesDown + proxy.bytesUp };
    } catch (error) {
      const fates = Array.from({ length: proxy.connections }, (_, index) => JSON.stringify(fate(index)));
      const happened = JSON.stringify(proxy.troubles);
      throw new Error(
        `Seed ${seed}, by FAULT_FIRST_SEED=${seed} FAULT_SEEDS=1; its connections:\n${fates.join('\n')}\nwhat happened: ${happened}`,
        { cause: error },
      );
    } finally {
      await proxy.close();
    }
  }

  it(`loses and doubles nothing, in ${seeds} storms`, { timeout: 60_000 + 5_000 * seeds }, async () => {
    const waiting = Array.from({ length: seeds }, (_, index) => firstSeed + index);
    const troubles: Happened[] = [];
    let bytes = 0;
    const work = async () => {
      for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) {
        const ran = await run(seed);
        troubles.push(...ran.troubles);
        bytes += ran.bytes;
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    const summary = summaryOf(troubles);
    console.log(
      `relay in ${runtime}, client in ${player}: ${seeds} seeds, ${bytes} bytes, ${JSON.stringify(summary)}`,
    );
    expect(troubles.length).toBeGreaterThan(4 * seeds);
    if (seeds >= 50) expect(Object.values(summary).every((times) => times > 0)).toBe(true);
  });
}

/** How often each thing happened. */
function summaryOf(troubles: Happened[]): Record<string, number> {
  const count = (which: (trouble: Happened) => boolean) => troubles.filter(which).length;
  return {
    cut: count(({ does }) => does === 'cut'),
    reset: count(({ does }) => does === 'reset'),
    'half-close': count(({ does }) => does === 'half-close'),
    stall: count(({ does }) => does === 'stall'),
    up: count(({ direction }) => direction === 'up'),
    down: count(({ direction }) => direction === 'down'),
    'in the upgrade': count(({ frame }) => frame < 0),
    'at a boundary': count(({ frame, into }) => frame >= 0 && into === 0),
    'inside of a frame': count(({ into }) => into > 0),
  };
}

/** Prints a file in bursts while it reads what is typed; then it says the hash of that, and ends. */
function programOf(name: string, outputBytes: number, inputBytes: number): string {
  const burst = Math.ceil(outputBytes / bursts);
  const said = JSON.stringify(marker).slice(1, -1).replace('\\u0002', '\\2').replace('\\u0003', '\\3');
  // Raw, as in an editor, so that no byte means anything.
  return `cd
stty raw -echo
printf '${said}'
{ for ((i = 0; i < ${bursts}; i++)); do
  dd if=${name}.out bs=${burst} skip=$i count=1 status=none
  sleep 0.01
done; } &
head -c ${inputBytes} >${name}.in
wait
sha256sum <${name}.in | cut -c 1-64
exit 7
`;
}
