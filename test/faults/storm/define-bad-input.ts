/** Frames that are not of the protocol, at the relay of a real broker: closed with the right code, logged, and nothing typed. */

import { readdir } from 'node:fs/promises';
import { Sandbox as KeySandbox } from 'e2b-edge';
import type { Session } from 'e2b-edge/broker';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { encodeFrame, FrameType, ptyProtocol } from '../../../src/wire/pty-frame.js';
import { encodeJson } from '../../../src/wire/pty-messages.js';
import { BrokerStage } from '../../broker/broker-stage.js';
import type { HostName } from '../../broker/start-host.js';

const text = (value: string) => new TextEncoder().encode(value);
const header = (type: number, offset: number[]) => Uint8Array.from([type, ...offset]);
const eight = [0, 0, 0, 0, 0, 0, 0, 0];

/** What is said after WELCOME. Each of it is the end of the socket. */
const afterWelcome: [string, string | Uint8Array][] = [
  ['a text', 'typed'],
  ['nothing', new Uint8Array(0)],
  ['half a header', new Uint8Array(5)],
  ['a frame of type 0', header(0, eight)],
  ['a frame of no known type', header(200, eight)],
  ['an offset beyond 2^53', header(FrameType.in, [255, 255, 255, 255, 255, 255, 255, 255])],
  ['HELLO again', encodeJson(FrameType.hello, 0, {})],
  ['WELCOME', encodeFrame(FrameType.welcome)],
  ['OUT', encodeFrame(FrameType.out, 0, text('typed'))],
  ['SIZE', encodeJson(FrameType.size, 0, { cols: 1, rows: 1 })],
  ['GAP', encodeJson(FrameType.gap, 0, { from: 0, to: null, reason: 'x' })],
  ['NOT_EXECUTED', encodeJson(FrameType.notExecuted, 0, { to: 1, reason: 'x' })],
  ['UNCERTAIN', encodeJson(FrameType.uncertain, 0, { to: 1, reason: 'x' })],
  ['EXIT', encodeJson(FrameType.exit, 0, { exitCode: 0, status: 'x', at: 0 })],
  ['ERROR', encodeJson(FrameType.error, 0, { code: 'x', message: 'x', retryable: false })],
  ['RESIZE that is no JSON', encodeFrame(FrameType.resize, 1, text('80x24'))],
  ['RESIZE to nothing', encodeJson(FrameType.resize, 1, { cols: 0, rows: 24 })],
  ['ACK of what was not sent', encodeFrame(FrameType.ack, 1_000_000_000)],
  ['IN behind a hole', encodeFrame(FrameType.in, 7, text('typed\n'))],
  ['IN that is too long', encodeFrame(FrameType.in, 0, new Uint8Array(1_025).fill(0x61))],
  ['a frame that is too long', new Uint8Array(64 * 1024 + 1).fill(FrameType.in)],
];

/** What is said in place of HELLO. */
const insteadOfHello: [string, string | Uint8Array][] = [
  ['IN', encodeFrame(FrameType.in, 0, text('typed\n'))],
  ['ACK', encodeFrame(FrameType.ack, 0)],
  ['HELLO that is no JSON', encodeFrame(FrameType.hello, 0, text('{'))],
  ['HELLO that is an array', encodeJson(FrameType.hello, 0, [])],
  ['HELLO of nobody', encodeJson(FrameType.hello, 0, {})],
];

interface Dialled {
  socket: WebSocket;
  closed: Promise<number>;
}

/** How many sockets are opened and left: `FAULT_SOCKETS=10000 npm run faults`. */
const silentSockets = Number(process.env.FAULT_SOCKETS ?? 1_000);

export function defineBadInput(runtime: HostName): void {
  const stage = new BrokerStage(runtime);
  let sandbox: KeySandbox;
  let session: Session;
  beforeAll(async () => {
    await stage.start();
    const { apiKey, apiUrl, sandboxUrl } = stage.local;
    sandbox = await KeySandbox.create('base', { apiKey, apiUrl, sandboxUrl });
    session = await stage.at('default').session({ sandbox: { id: sandbox.sandboxId } });
  });
  afterAll(() => stage.close());

  async function dial(url: string): Promise<Dialled> {
    const socket = new WebSocket(url, [ptyProtocol]);
    const closed = new Promise<number>((resolve) => socket.once('close', (code) => resolve(code)));
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    socket.on('error', () => {});
    return { socket, closed };
  }

  const socketUrl = () => session.urls.pty.replace('http', 'ws');
  const hello = (wanted: object) =>
    encodeJson(FrameType.hello, 0, {
      token: session.token,
      clientId: crypto.randomUUID(),
      have: 0,
      acked: 0,
      window: 262_144,
      mode: 'write',
      cols: 80,
      rows: 24,
      ...wanted,
    });
  const terminalEvents = async () =>
    (await stage.at('default').events()).flatMap(({ terminal }) => terminal?.event ?? []);
  const openFiles = async () => (await readdir(`/proc/${stage.host.pid}/fd`)).length;

  it('closes for what is said in place of HELLO, and logs it', { timeout: 30_000 }, async () => {
    const before = (await terminalEvents()).filter((event) => event === 'refuse').length;
    for (const [what, message] of insteadOfHello) {
      const { socket, closed } = await dial(socketUrl());
      socket.send(message);
      expect([what, await closed]).toEqual([what, 4400]);
    }
    const refused = (await terminalEvents()).filter((event) => event === 'refuse').length;
    expect(refused - before).toBe(insteadOfHello.length);
  });

  it('closes for what is said after WELCOME, types nothing of it, and keeps nothing', {
    timeout: 60_000,
  }, async () => {
    await sandbox.files.write('typed', '');
    const later = await stage.at('default').connect(session);
    const pty = await later.pty.create({ cols: 80, rows: 24, transport: 'websocket' });
    let seen = '';
    void (async () => {
      for await (const event of pty.channel) {
        if (event.type === 'output') seen += new TextDecoder().decode(event.data);
      }
    })().catch(() => undefined);
    await pty.channel.send(text('stty raw -echo; printf "rea""dy"; exec cat >typed\n'));
    await expect.poll(() => seen, { timeout: 10_000 }).toContain('ready');
    pty.channel.close();
    for (const [what, message] of afterWelcome) {
      const { socket, closed } = await dial(socketUrl());
      const welcomed = new Promise<void>((resolve) => socket.once('message', () => resolve()));
      socket.send(hello({ pty: pty.pid }));
      await welcomed;
      socket.send(message);
      // Each host has its own limit of messages, which may be met before the protocol's.
      const codes = what === 'a frame that is too long' ? [4400, 1009] : [4400];
      const code = await closed;
      expect([what, codes.includes(code) ? 'closed' : code]).toEqual([what, 'closed']);
    }
    const again = await later.pty.connect(pty.pid, { cols: 80, rows: 24, transport: 'websocket' });
    await again.channel.send(text('only this'));
    await expect.poll(() => sandbox.files.read('typed')).not.toBe('');
    expect(await sandbox.files.read('typed')).toBe('only this');
    again.channel.close();
    const events = await terminalEvents();
    const count = (which: string) => events.filter((event) => event === which).length;
    expect(count('attach')).toBeGreaterThan(afterWelcome.length);
    await expect
      .poll(async () => (await terminalEvents()).filter((event) => event === 'detach').length)
      .toBe(count('attach'));
    await sandbox.pty.kill(pty.pid);
  });

  it(`lets go of ${silentSockets} sockets that say nothing`, { timeout: 120_000 }, async () => {
    const before = await openFiles();
    const codes = new Map<number, number>();
    const batch = 100;
    const waiting: Promise<unknown>[] = [];
    for (let opened = 0; opened < silentSockets; opened += batch) {
      const sockets = await Promise.all(Array.from({ length: batch }, () => dial(socketUrl())));
      for (const { closed } of sockets) {
        waiting.push(closed.then((code) => codes.set(code, (codes.get(code) ?? 0) + 1)));
      }
    }
    // Nobody here closes: the relay makes room, and at last its patience ends.
    await Promise.all(waiting);
    expect([...codes.keys()].sort()).toEqual([4408, 4429]);
    expect(codes.get(4408)).toBeLessThanOrEqual(64);
    await expect.poll(openFiles, { timeout: 20_000 }).toBeLessThan(before + 20);
    const { socket, closed } = await dial(socketUrl());
    socket.send(hello({ create: { createKey: 'after-all' } }));
    await new Promise<void>((resolve) => socket.once('message', () => resolve()));
    socket.close();
    await closed;
  });
}
