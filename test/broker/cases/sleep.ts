/** A page whose machine was asleep: its connections are gone, no timer of its has run, and it is later than it was. */

import type { Session } from 'e2b-edge/broker';
import { afterEach, describe, expect, test } from 'vitest';
import { TcpProxy } from '../../faults/support/tcp-proxy.js';
import { bearer } from '../broker-client.js';
import type { BrokerStage } from '../broker-stage.js';
import { putClockAhead } from '../host/shifted-clock.js';
import { readUntil, socketed, typed } from '../read-terminal.js';

const hourMs = 3_600_000;

export function sleep(stage: BrokerStage): void {
  const setHostClock = async (aheadMs: number): Promise<void> => {
    const init = { method: 'POST', body: JSON.stringify(aheadMs) };
    await (await fetch(`${stage.host.url}/test/clock`, init)).text();
  };

  describe('a page whose machine slept for an hour', () => {
    let proxy: TcpProxy | undefined;
    afterEach(async () => {
      putClockAhead(0);
      await setHostClock(0);
      await proxy?.close();
    });

    test('goes on with its old token: its calls, its terminal and its command', async () => {
      proxy = await TcpProxy.listen(Number(new URL(stage.host.url).port));
      const broker = stage.at('stored');
      const session = await broker.session({
        subject: `sleeper ${crypto.randomUUID()}`,
        sandbox: { template: 'base', timeoutMs: 2 * hourMs },
      });
      const sandbox = await broker.connect(through(proxy, session));
      const terminal = await sandbox.pty.create(socketed);
      await terminal.channel.send(typed('x=7; echo up-$((1+1))\n'));
      await readUntil(terminal, 'up-2');
      const command = await sandbox.commands.run('cat', { background: true, stdin: true, timeoutMs: 0 });
      const printed = command[Symbol.asyncIterator]();
      await command.sendStdin('before\n');
      expect((await printed.next()).value).toMatchObject({ type: 'stdout', data: 'before\n' });
      const actions = async (): Promise<string[]> =>
        (await broker.events())
          .filter(({ sessionId }) => sessionId === session.sessionId)
          .map(({ action, outcome }) => `${action} ${outcome}`);
      expect(await actions()).not.toContain('refresh allowed');

      await setHostClock(hourMs);
      const late = await broker.fetch(`/envd/${session.sandboxId}/health`, { headers: bearer(session) });
      expect([late.status, ((await late.json()) as { code: string }).code]).toEqual([401, 'token_expired']);
      proxy.cutAll();
      putClockAhead(hourMs);

      await terminal.channel.send(typed('echo kept-$((6*x))\n'));
      await readUntil(terminal, 'kept-42', 'echo kept-$((6*x))\n');
      expect((await printed.next()).value).toMatchObject({ type: 'gap' });
      await command.sendStdin('after\n');
      expect((await printed.next()).value).toMatchObject({ type: 'stdout', data: 'after\n' });
      expect(await sandbox.files.exists('/home/user')).toBe(true);
      expect((await actions()).filter((action) => action === 'refresh allowed')).toHaveLength(1);
      terminal.channel.close();
      await command.kill();
    });
  });
}

/** The same session, by way of the connections that are cut. */
function through(proxy: TcpProxy, session: Session): Session {
  const urls = Object.entries(session.urls).map(([name, value]) => {
    const url = new URL(value);
    url.port = String(proxy.port);
    return [name, url.href];
  });
  return { ...session, urls: Object.fromEntries(urls) as Session['urls'] };
}
