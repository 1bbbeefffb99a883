/** One course: a program is run in a terminal whose connection breaks, by a client in any runtime. */

import type { Channel } from '../../../src/channel/channel.js';
import { openSocketChannel } from '../../../src/channel/socket-channel.js';
import type { WebSocketConstructor } from '../../../src/transport/socket.js';
import { seeded, withoutInterrupt } from '../support/random.js';
import { Reader } from '../support/reader.js';

/** What a client is told; plain JSON. */
export interface Course {
  seed: number;
  /** The terminal's address, which leads through the proxy. */
  url: string;
  token: string;
  /** Starts the program. */
  line: string;
  inputBytes: number;
}

/** What became of it; plain JSON. */
export interface CourseReport {
  /** Of what the terminal received behind `marker`, without the last line. */
  outputBytes: number;
  outputHash: string;
  /** The program's last words: the hash of what it read. */
  lastLine: string;
  /** Of what was typed, in the order of the calls. */
  inputHash: string;
  /** What became of the calls that did not succeed. */
  refused: string[];
  /** All events that are no output. */
  events: unknown[];
  reconnects: number;
  error?: string;
}

/** What the program says once its terminal is raw. The line that starts it does not contain it. */
export const marker = '\u0002ready\u0003';
/** A hash in hexadecimal digits, and a newline. */
const lastLineBytes = 65;
const deadlineMs = 45_000;

const size = { cols: 80, rows: 24 };
const tick = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Types while it reads, until the program has ended. */
export async function runCourse(course: Course, WebSocket?: WebSocketConstructor): Promise<CourseReport> {
  const random = seeded(course.seed);
  const channel = await openSocketChannel({
    url: course.url,
    token: () => course.token,
    target: { create: { size } },
    size,
    heldInputMs: deadlineMs,
    // A connection that stalls is to be given up soon, or to go on after all; a relay bears 32 questions in 15 s.
    pingIntervalMs: 500,
    pingTimeoutMs: 150,
    ...(WebSocket && { WebSocket }),
  });
  const deadline = setTimeout(() => channel.close(), deadlineMs);
  try {
    return await play(course, channel, random);
  } finally {
    clearTimeout(deadline);
    channel.close();
  }
}

async function play(
  { line, inputBytes }: Course,
  channel: Channel,
  random: ReturnType<typeof seeded>,
): Promise<CourseReport> {
  let reconnects = 0;
  channel.onStatus(({ state }) => {
    if (state !== 'reconnecting') return;
    reconnects++;
    // The backoff is tested elsewhere.
    setTimeout(() => channel.reconnect(), 1);
  });
  const reader = new Reader(channel, () => (random.below(20) === 0 ? tick(1) : undefined));
  const refused: string[] = [];
  const note = (error: unknown) => refused.push(String((error as { code?: string }).code));
  void channel.send(new TextEncoder().encode(line)).catch(note);
  const isOver = () => channel.status.state === 'closed';
  await reader.until(() => reader.text.includes(marker) || isOver());

  const input = random.bytes(inputBytes);
  const sends: Promise<unknown>[] = [];
  for (let at = 0; at < input.length && !isOver(); ) {
    const wanted = random.below(3) === 0 ? 1 + random.below(2_500) : 1 + random.below(40);
    const length = withoutInterrupt(input, at, wanted);
    sends.push(channel.send(input.subarray(at, at + length)).catch(note));
    at += length;
    if (random.below(3) === 0) await tick(random.below(12));
  }
  await Promise.all(sends);
  await reader.done;

  const start = new TextEncoder().encode(reader.text.split(marker)[0]).length + marker.length;
  const output = reader.bytes.subarray(start);
  const printed = output.subarray(0, Math.max(0, output.length - lastLineBytes));
  return {
    outputBytes: printed.length,
    outputHash: await sha256(printed),
    lastLine: new TextDecoder().decode(output.subarray(printed.length)),
    inputHash: await sha256(input),
    refused,
    events: reader.events.filter(({ type }) => type !== 'output'),
    reconnects,
    ...(reader.error !== undefined && { error: String(reader.error) }),
  };
}

export async function sha256(data: Uint8Array): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', data as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
