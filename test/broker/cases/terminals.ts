/** Terminals over WebSocket: each host's own upgrade, with the relay behind it. */

import type { Session } from 'e2b-edge/broker';
import type { Sandbox } from 'e2b-edge/browser';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { BrokerStage } from '../broker-stage.js';
import { pageOrigin } from '../host/setup.js';

const ptyProtocol = 'e2b-edge.pty.v1';
type Channel = Awaited<ReturnType<Sandbox['pty']['create']>>['channel'];

/** Types a line and reads until something is there. */
async function type(channel: Channel, line: string, awaited: string): Promise<void> {
  await channel.send(new TextEncoder().encode(line));
  let text = '';
  for await (const event of channel) {
    if (event.type !== 'output') continue;
    text += new TextDecoder().decode(event.data);
    channel.ack(event.offset + event.data.length);
    if (text.includes(awaited)) return;
  }
  throw new Error(`the terminal ended: ${text}`);
}

interface Closed {
  code: number;
  reason: string;
  protocol: string;
}

export function terminals(stage: BrokerStage): void {
  /** Opens a socket, says something, and waits until it is closed. */
  function attempt(
    path: string,
    options: { protocol?: string; origin?: string; hello?: unknown; first?: string } = {},
  ): Promise<Closed> {
    const { protocol = ptyProtocol, origin, hello, first } = options;
    const url = `${stage.at('default').url.replace('http', 'ws')}${path}`;
    const socket = new WebSocket(url, protocol === '' ? [] : [protocol], {
      ...(origin !== undefined && { origin }),
    });
    return new Promise((resolve, reject) => {
      socket.once('open', () => {
        if (first !== undefined) socket.send(first);
        if (hello === undefined) return;
        socket.send(Buffer.concat([Buffer.from([1]), Buffer.alloc(8), Buffer.from(JSON.stringify(hello))]));
      });
      socket.once('close', (code, reason) =>
        resolve({ code, reason: reason.toString(), protocol: socket.protocol }),
      );
      socket.once('error', reject);
    });
  }

  const opening = ({ token }: Session) => ({
    token,
    clientId: 'c1',
    create: { createKey: crypto.randomUUID() },
    have: 0,
    acked: 0,
    window: 262_144,
    mode: 'write',
    cols: 80,
    rows: 24,
  });

  describe('a terminal by WebSocket', () => {
    test('outlives its socket, and its page', async () => {
      const broker = stage.at('default');
      const session = await broker.session();
      const sandbox = await broker.connect(session);
      const pty = await sandbox.pty.create({ cols: 80, rows: 24, transport: 'websocket' });
      await type(pty.channel, 'x=7; echo got-$((6*x))\n', 'got-42');
      pty.channel.close();
      const later = await broker.connect(await broker.session({}, { sandboxId: session.sandboxId }));
      const again = await later.pty.connect(pty.pid, { cols: 80, rows: 24, transport: 'websocket' });
      await type(again.channel, 'echo still-$((5*x))\n', 'still-35');
      await again.kill();
      const events = (await broker.events()).filter(({ sandboxId }) => sandboxId === session.sandboxId);
      expect(events).toMatchObject(
        expect.arrayContaining([
          expect.objectContaining({ action: 'pty', outcome: 'allowed', status: 101 }),
          expect.objectContaining({ action: 'terminal', terminal: { event: 'attach', pid: pty.pid } }),
        ]),
      );
    });

    test('prints much', async () => {
      const sandbox = await stage.at('default').connect();
      const pty = await sandbox.pty.create({ cols: 80, rows: 24, transport: 'websocket' });
      await type(pty.channel, 'seq 1 200000; echo the-$((1+1))nd-end\n', 'the-2nd-end');
      await pty.kill();
    });
  });

  describe('Ctrl-C', () => {
    // Its session may start no commands: what makes room for the key is the broker's own.
    test('reaches a program that does not read, past a paste', async () => {
      const broker = stage.at('default');
      const sandbox = await broker.connect(await broker.session({ grants: { pty: 'write', user: 'user' } }));
      const pty = await sandbox.pty.create({ cols: 80, rows: 24, transport: 'websocket' });
      await type(pty.channel, 'sh -c \'echo be""gin; exec sleep 600\'\n', 'begin');
      const pasted = pty.send('echo executed\n'.repeat(70_000));
      const refused = expect(pasted).rejects.toMatchObject({ code: 'input_not_executed' });
      await pty.send('\u0003');
      await refused;
      await type(pty.channel, 'echo "ba""ck $?"\n', 'back 130');
      expect(await sandbox.commands.list()).toMatchObject([{ pid: pty.pid }]);
      await pty.kill();
    });
  });

  describe('an upgrade', () => {
    test('from a page of another site is closed with 4403, before it has said anything', async () => {
      expect(await attempt('/pty/i1', { origin: 'https://evil.example' })).toEqual({
        code: 4403,
        reason: 'origin_not_allowed',
        protocol: ptyProtocol,
      });
      const events = await stage.at('default').events();
      expect(events.filter(({ action }) => action === 'pty').at(-1)).toMatchObject({
        outcome: 'refused',
        code: 'origin_not_allowed',
      });
    });

    test.each([
      ['of another protocol', '/pty/i1', 'chat', '400'],
      ['of no protocol', '/pty/i1', '', '400'],
      ['without an id of a sandbox', '/pty/A.b', ptyProtocol, '404'],
      ['elsewhere', '/sessions', ptyProtocol, '405'],
    ])('%s is none', async (_what, path, protocol, status) => {
      await expect(attempt(path, { origin: pageOrigin, protocol })).rejects.toThrow(status);
    });

    test('that talks another language is closed with 4400', async () => {
      expect(await attempt('/pty/i1', { origin: pageOrigin, first: 'hello' })).toMatchObject({ code: 4400 });
    });

    test('that says more than fits a frame is closed, before its token is looked at', async () => {
      const first = 'x'.repeat(100_000);
      const { code } = await attempt('/pty/i1', { origin: pageOrigin, first });
      expect([1009, 4400]).toContain(code);
    });

    test('with a token that is not good is closed with 4401', async () => {
      const hello = opening({ token: 'nonsense' } as Session);
      expect(await attempt('/pty/i1', { origin: pageOrigin, hello })).toMatchObject({ code: 4401 });
    });

    test('with a token of another sandbox is closed with 4401', async () => {
      const hello = opening(await stage.at('default').session());
      expect(await attempt('/pty/i1', { origin: pageOrigin, hello })).toMatchObject({ code: 4401 });
    });

    test('without the grant is closed with 4403', async () => {
      const session = await stage.at('default').session({ grants: { commands: 'run' } });
      const path = `/pty/${session.sandboxId}`;
      expect(await attempt(path, { origin: pageOrigin, hello: opening(session) })).toMatchObject({
        code: 4403,
      });
    });
  });
}
