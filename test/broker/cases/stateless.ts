/** Terminals of a Worker without a Durable Object, whose invocations may make few requests. */

import { describe, expect, test } from 'vitest';
import type { BrokerStage } from '../broker-stage.js';
import { readUntil, size, socketed, type Terminal, typed } from '../read-terminal.js';

const inputs = 150;

export function stateless(stage: BrokerStage): void {
  const attachments = async (sandboxId: string): Promise<number> =>
    (await stage.at('stateless').events()).filter(
      (event) => event.sandboxId === sandboxId && event.terminal?.event === 'attach',
    ).length;

  describe('a Worker without a Durable Object', () => {
    test('hands a terminal over from invocation to invocation: each line is executed once, all is shown', async () => {
      const broker = stage.at('stateless');
      const session = await broker.session();
      const { pty } = await broker.connect(session);
      const terminal = await pty.create(socketed);
      expect(terminal.durable).toBe(true);
      const read = readUntil(terminal, `got-${inputs}-`);
      await terminal.channel.send(typed('while read n; do echo "got-$n-"; done\n'));
      for (let n = 1; n <= inputs; n++) await terminal.channel.send(typed(`${n}\n`));
      expect(numbersIn(await read)).toEqual(Array.from({ length: inputs }, (_, index) => index + 1));
      expect(await attachments(session.sandboxId)).toBeGreaterThan(3);
      await terminal.kill();
    });

    test('and loses nothing of a flood meanwhile, nor of what is typed without waiting', async () => {
      const broker = stage.at('stateless');
      const session = await broker.session();
      const { pty } = await broker.connect(session);
      const terminal = await pty.create(socketed);
      const read = readUntil(terminal, `got-${inputs}-`);
      const program =
        'stty -echo; (seq -f "flood-%g-" 1 20000 &) ; while read n; do echo "got-$n-"; sleep 0.01; done';
      const sent: Promise<void>[] = [terminal.channel.send(typed(`${program}\n`))];
      for (let n = 1; n <= inputs; n++) {
        sent.push(terminal.channel.send(typed(`${n}\n`)));
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      await Promise.all(sent);
      const text = await read;
      expect(numbersIn(text)).toEqual(Array.from({ length: inputs }, (_, index) => index + 1));
      expect(numbersIn(text, 'flood')).toEqual(Array.from({ length: 20_000 }, (_, index) => index + 1));
      await terminal.kill();
    });

    test('shows a second window what was printed before, and its input too', async () => {
      const broker = stage.at('stateless');
      const session = await broker.session();
      const sandbox = await broker.connect(session);
      const first = await sandbox.pty.create(socketed);
      await first.channel.send(typed('echo "be""fore"\n'));
      await readUntil(first, 'before\r\n');
      const second: Terminal = await sandbox.pty.connect(first.pid, { ...size, transport: 'websocket' });
      await readUntil(second, 'before\r\n');
      await second.channel.send(typed('echo "af""ter"\n'));
      await readUntil(first, 'after\r\n');
      await first.kill();
    });
  });
}

function numbersIn(text: string, word = 'got'): number[] {
  return Array.from(text.matchAll(new RegExp(`^${word}-(\\d+)-\r$`, 'gm')), ([, n]) => Number(n));
}
