/** Calls with one answer: as many at once as a session may have. */

import { beforeAll, describe, expect, test } from 'vitest';
import { bearer } from '../broker-client.js';
import type { BrokerStage } from '../broker-stage.js';

/** What a broker has by default. */
const most = 64;

export function calls(stage: BrokerStage): void {
  const broker = () => stage.at('scripted');

  describe('a session with as many calls under way as it may have', () => {
    const held: (() => void)[] = [];
    beforeAll(() => {
      stage.scripted.onEnvd = (seen, response) => {
        const isHeld = seen.path === '/process.Process/List';
        if (isHeld)
          held.push(() => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
        return isHeld;
      };
      return () => {
        stage.scripted.onEnvd = undefined;
      };
    });

    test('is told to come again, which its client does by itself; another session is not in its way', async () => {
      const session = await broker().session();
      const other = await broker().session({ subject: 'bob' });
      const sandbox = await broker().connect(session);
      const list = (): Promise<Response> =>
        broker().fetch(`/envd/${session.sandboxId}/process.Process/List`, {
          method: 'POST',
          headers: { ...bearer(session), 'content-type': 'application/json' },
          body: '{}',
        });
      const first = Array.from({ length: most }, list);
      await expect.poll(() => held.length, { timeout: 20_000 }).toBe(most);
      const refused = await list();
      expect(refused.status).toBe(429);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await refused.json()).toMatchObject({ code: 'too_many_calls' });
      const health = await broker().fetch(`/envd/${other.sandboxId}/health`, { headers: bearer(other) });
      expect(health.status).toBe(204);
      const refusals = async (): Promise<number> =>
        (await broker().events()).filter(
          ({ code, sessionId }) => code === 'too_many_calls' && sessionId === session.sessionId,
        ).length;
      const made = sandbox.files.makeDir('/data/new');
      await expect.poll(refusals).toBe(2);
      for (const answer of held) answer();
      expect((await Promise.all(first)).map(({ status }) => status)).toEqual(first.map(() => 200));
      expect(await made).toBe(true);
      expect(stage.scripted.calls('filesystem.Filesystem/MakeDir')).toHaveLength(1);
    });
  });
}
