/** Where a broker can be mounted: in an application of Hono's, and beside others in one program. */

import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { bearer } from '../broker-client.js';
import type { BrokerStage } from '../broker-stage.js';

export function mounts(stage: BrokerStage): void {
  describe.each(['hono', 'plain'] as const)('mounted with Hono, as %s', (name) => {
    test('it answers a page', async () => {
      const broker = stage.at(name);
      const sandbox = await broker.connect();
      expect((await sandbox.commands.run('echo $((6*7))')).stdout).toBe('42\n');
      const data = new Uint8Array(randomBytes(3_000_000));
      await sandbox.files.write('/home/user/big.bin', data);
      expect(Buffer.compare(await sandbox.files.read('/home/user/big.bin', { format: 'bytes' }), data)).toBe(
        0,
      );
      expect((await broker.fetch('/nowhere')).status).toBe(404);
    });

    test('a stream that is left ends upstream', async () => {
      const sandbox = await stage.at(name).connect();
      const run = 'while echo x; do sleep 0.05; done';
      const command = await sandbox.commands.run(run, { background: true });
      const isOpen = (): number => stage.observer.open(sandbox.sandboxId, 'Process/Start');
      expect(isOpen()).toBe(1);
      for await (const _ of command) break;
      await expect.poll(isOpen, { timeout: 20_000 }).toBe(0);
    });
  });

  test('mounted with Hono, a host’s broker has terminals', async () => {
    const sandbox = await stage.at('hono').connect();
    const pty = await sandbox.pty.create({ cols: 80, rows: 24, transport: 'websocket' });
    await pty.channel.send(new TextEncoder().encode('echo got-$((6*7))\n'));
    let text = '';
    for await (const event of pty.channel) {
      if (event.type === 'output') text += new TextDecoder().decode(event.data);
      if (text.includes('got-42')) break;
    }
    await pty.kill();
  });

  test('two brokers of one program do not know each other’s tokens', async () => {
    const [one, other] = [stage.at('default'), stage.at('hono')];
    const session = await one.session();
    const path = `/envd/${session.sandboxId}/health`;
    expect((await one.fetch(path, { headers: bearer(session) })).status).toBe(204);
    const refused = await other.fetch(path, { headers: bearer(session) });
    expect(refused.status).toBe(401);
    await refused.text();
  });
}
