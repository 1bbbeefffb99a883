/** Sessions that are ended before their time, with everything that they have open, in each runtime's own store. */

import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { bearer } from '../broker-client.js';
import type { BrokerStage } from '../broker-stage.js';
import { openPreview, own } from '../open-preview.js';
import { openPreviewSocket, pageOriginOf, refusedPreviewSocket } from '../preview-socket.js';

export function revocation(stage: BrokerStage): void {
  const codeOf = async (response: Response): Promise<unknown> => ({
    status: response.status,
    code: ((await response.json()) as { code: string }).code,
  });

  describe('a session that is revoked', () => {
    test('has all that is open ended within 30 s, and is told why', async () => {
      const broker = stage.at('stored');
      const preview = await openPreview(stage, 'stored');
      const { session } = preview;
      const sandbox = await broker.connect(session);
      await sandbox.commands.run('head -c 64M /dev/zero > /home/user/large');
      const command = await sandbox.commands.run('sleep 1000', { background: true });
      const commandEnd = command.wait().catch((error: unknown) => error);
      const pty = await sandbox.pty.create({ cols: 80, rows: 24, transport: 'websocket' });
      const download = await broker.fetch(`/envd/${session.sandboxId}/files?path=/home/user/large`, {
        headers: bearer(session),
      });
      const reader = download.body?.getReader();
      await reader?.read();
      const events = await fetch(`${preview.url}events`, {
        headers: { ...own, cookie: preview.cookie, 'accept-encoding': 'identity' },
      });
      const eventReader = events.body?.getReader();
      expect(new TextDecoder().decode((await eventReader?.read())?.value)).toBe('data: one\n\n');
      const cookie = { cookie: preview.cookie };
      const opening = [stage, `${preview.url}socket`, cookie, pageOriginOf(preview)] as const;
      const { socket } = await openPreviewSocket(...opening);
      const socketEnd = once(socket, 'close');
      const upload = broker.fetch(`/envd/${session.sandboxId}/files?path=/home/user/sent`, {
        method: 'POST',
        headers: { ...bearer(session), 'content-type': 'application/octet-stream' },
        body: new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1000)) }),
        duplex: 'half',
      } as RequestInit);

      const revoked = await broker.fetch(`/sessions/${session.sessionId}`, {
        method: 'DELETE',
        headers: bearer(session),
      });
      expect(await revoked.json()).toMatchObject({ revoked: true });
      for (const path of [`/envd/${session.sandboxId}/health`, `/sessions/${session.sessionId}`]) {
        const after = await broker.fetch(path, { headers: bearer(session) });
        expect(await codeOf(after)).toEqual({ status: 401, code: 'session_revoked' });
      }
      const page = await preview.ask('/about');
      expect(page.status).toBe(401);
      expect(JSON.parse(page.text)).toMatchObject({ code: 'session_revoked' });
      expect(await refusedPreviewSocket(...opening)).toContain('401');

      expect(await codeOf(await upload)).toEqual({ status: 401, code: 'session_revoked' });
      expect(await commandEnd).toBeInstanceOf(Error);
      const logged = async () =>
        (await broker.events()).filter(({ sessionId }) => sessionId === session.sessionId);
      const cut = async () =>
        (await logged()).filter(({ action, end }) => action === 'stream_end' && end === 'cut');
      // workerd has the stream that started the app still open: nothing told it that its reader left.
      const kinds = async () => [...new Set((await cut()).map(({ of }) => of))].sort();
      await expect.poll(kinds, { timeout: 40_000 }).toEqual(['download', 'preview', 'rpc']);
      for (const event of await cut()) expect(event).toMatchObject({ code: 'session_revoked' });
      await expect(
        (async () => {
          while (!(await reader?.read())?.done);
        })(),
      ).rejects.toThrow();
      const end = await eventReader?.read().catch(() => 'broken off');
      // Miniflare ends a stream of unknown length that the Worker broke off as if that were all of it.
      expect(end).toEqual(stage.runtime === 'workerd' ? { done: true, value: undefined } : 'broken off');
      // Node's broker joins the connections as they are: it says nothing of its own on them.
      expect((await socketEnd)[0]).toBe(stage.runtime === 'node' ? 1006 : 4401);
      await expect
        .poll(async () => (await logged()).some(({ terminal }) => terminal?.event === 'detach'), {
          timeout: 40_000,
        })
        .toBe(true);
      expect((await logged()).find(({ terminal }) => terminal?.event === 'detach')).toMatchObject({
        sentBytes: expect.any(Number),
        durationMs: expect.any(Number),
      });
      pty.channel.close();
    });

    test('is one of a subject’s, who may begin another at once', async () => {
      const broker = stage.at('stored');
      const authorization = { subject: 'revoked' };
      const sessions = [await broker.session(authorization), await broker.session(authorization)];
      const other = await broker.session({ subject: 'another' });
      await broker.revoke({ subject: 'revoked' });
      for (const session of sessions) {
        const refreshed = await broker.fetch('/sessions/refresh', {
          method: 'POST',
          headers: bearer(session),
        });
        expect(await codeOf(refreshed)).toEqual({ status: 401, code: 'session_revoked' });
      }
      const again = await broker.session(authorization);
      for (const session of [again, other]) {
        const health = await broker.fetch(`/envd/${session.sandboxId}/health`, { headers: bearer(session) });
        expect(health.status).toBe(204);
      }
    });
  });

  describe('limits', () => {
    test('hold for mints, and say when to come again', async () => {
      const broker = stage.at('limited');
      const subject = `miner ${crypto.randomUUID()}`;
      const tries = await Promise.all(Array.from({ length: 8 }, () => broker.mint({ subject })));
      expect(tries.filter(({ status }) => status === 201)).toHaveLength(3);
      for (const refused of tries.filter(({ status }) => status !== 201)) {
        const seconds = Number(refused.headers.get('retry-after'));
        expect(seconds).toBeGreaterThan(0);
        expect(seconds).toBeLessThanOrEqual(60);
        expect(await codeOf(refused)).toEqual({ status: 429, code: 'rate_limited' });
      }
    });

    test('hold for streams, which make room when their page has gone', async () => {
      const broker = stage.at('limited');
      const session = await broker.session({ subject: `streamer ${crypto.randomUUID()}` });
      const sandbox = await broker.connect(session);
      const chatter = 'while :; do echo still here; sleep 0.1; done';
      const first = await sandbox.commands.run(chatter, { background: true });
      await sandbox.commands.run(chatter, { background: true });
      const download = () =>
        broker.fetch(`/envd/${session.sandboxId}/files?path=/etc/hostname`, { headers: bearer(session) });
      const refused = await download();
      expect(refused.headers.get('retry-after')).toBe('2');
      expect(await codeOf(refused)).toEqual({ status: 429, code: 'too_many_streams' });
      await first.disconnect();
      await expect
        .poll(
          async () => {
            const response = await download();
            await response.text();
            return response.status;
          },
          // workerd drops what its caller has left without a word; its slot lapses.
          { interval: 200, timeout: 60_000 },
        )
        .not.toBe(429);
    }, 120_000);

    test('hold for silent sockets', async () => {
      const url = `${stage.at('limited').url.replace('http', 'ws')}/pty/i1`;
      const socket = new WebSocket(url, 'e2b-edge.pty.v1');
      const code = await new Promise((resolve, reject) => {
        socket.once('close', resolve);
        socket.once('error', reject);
      });
      expect(code).toBe(4408);
    });
  });
}
