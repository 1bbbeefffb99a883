/** A session from its beginning to its end, and what a page does with it. */

import { randomBytes } from 'node:crypto';
import type { Session } from 'e2b-edge/broker';
import { describe, expect, test } from 'vitest';
import { bearer } from '../broker-client.js';
import type { BrokerStage } from '../broker-stage.js';

const megabyte = 1024 * 1024;

export function basics(stage: BrokerStage): void {
  describe('a session', () => {
    test('is minted, told of, refreshed and ended', async () => {
      const broker = stage.at('default');
      const minted = await broker.mint();
      expect(minted.status).toBe(201);
      const session = (await minted.json()) as Session;
      expect(session).toMatchObject({ grant: { commands: 'run', pty: 'write' } });
      for (const url of Object.values(session.urls)) expect(url).toMatch(/^\/default\//);
      expect(await broker.eventOf(minted)).toMatchObject({
        action: 'mint',
        outcome: 'allowed',
        status: 201,
        subject: 'ann',
        sandboxId: session.sandboxId,
        sessionId: session.sessionId,
      });

      const init = { headers: bearer(session) };
      const info = await broker.fetch(`/sessions/${session.sessionId}`, init);
      expect(await info.json()).toMatchObject({ sandboxID: session.sandboxId, state: 'running' });

      const refreshed = await broker.fetch('/sessions/refresh', { ...init, method: 'POST' });
      const fresh = (await refreshed.json()) as Session;
      expect(fresh).toMatchObject({ sessionId: session.sessionId, sandboxId: session.sandboxId });
      expect(fresh.token).not.toBe(session.token);

      const ended = await broker.fetch(`/sessions/${session.sessionId}`, { ...init, method: 'DELETE' });
      expect(ended.status).toBe(200);
      await ended.text();
      await stage.killSandboxes();
    });

    test('that the application refuses is not minted', async () => {
      const broker = stage.at('default');
      const refused = await broker.mint(null);
      expect(refused.status).toBe(403);
      expect(await refused.json()).toMatchObject({ code: 'session_refused' });
      expect(await broker.eventOf(refused)).toMatchObject({ outcome: 'refused', code: 'session_refused' });
    });

    test('is refreshed by the client when its token has run out', async () => {
      const broker = stage.at('short-tokens');
      const session = await broker.session();
      const sandbox = await broker.connect(session);
      await expect.poll(() => Date.now(), { timeout: 10_000 }).toBeGreaterThan(session.expiresAt);
      expect((await sandbox.commands.run('echo $((6*7))')).stdout).toBe('42\n');
      const actions = (await broker.events())
        .filter(({ sessionId }) => sessionId === session.sessionId)
        .map(({ action, outcome }) => `${action} ${outcome}`);
      expect(actions).toContain('refresh allowed');
    });

    test('that the application takes back is not refreshed', async () => {
      const broker = stage.at('default');
      const session = await broker.session({ subject: 'eve' });
      await broker.setAuthorization('eve', null);
      const init = { method: 'POST', headers: bearer(session) };
      expect((await broker.fetch('/sessions/refresh', init)).status).toBe(403);
    });
  });

  describe('a page', () => {
    test('runs commands, and lists and watches them', async () => {
      const sandbox = await stage.at('default').connect();
      const failed = await sandbox.commands.run('echo out; echo err >&2; exit 3').catch((error) => error);
      expect(failed).toMatchObject({ stdout: 'out\n', stderr: 'err\n', exitCode: 3 });
      const command = await sandbox.commands.run('cat', { background: true, stdin: true });
      await command.sendStdin('hello\n');
      for await (const event of command) {
        expect(event).toMatchObject({ type: 'stdout', data: 'hello\n' });
        break;
      }
      expect((await sandbox.commands.list()).map(({ pid }) => pid)).toContain(command.pid);
      await command.kill();
    });

    test('writes and reads files, byte by byte', async () => {
      const sandbox = await stage.at('default').connect();
      const data = new Uint8Array(randomBytes(3_000_000));
      await sandbox.files.write('/home/user/big.bin', data);
      expect(Buffer.compare(await sandbox.files.read('/home/user/big.bin', { format: 'bytes' }), data)).toBe(
        0,
      );
      await sandbox.files.write('small.txt', 'hello');
      expect(await sandbox.files.read('~/small.txt')).toBe('hello');
      expect((await sandbox.files.list('/home/user')).map(({ name }) => name)).toContain('big.bin');
    });

    test('writes and reads 100 MB as they come', async () => {
      const session = await stage.at('default').session();
      const url = `${session.urls.envd}/files?path=/home/user/huge.bin`;
      const piece = new Uint8Array(randomBytes(megabyte));
      const total = 100 * megabyte;
      let sent = 0;
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (sent === total) return controller.close();
          controller.enqueue(piece);
          sent += piece.length;
        },
      });
      const headers = { ...bearer(session), 'accept-encoding': 'identity' };
      const init: RequestInit & { duplex: 'half' } = {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/octet-stream' },
        body,
        duplex: 'half',
      };
      const written = await fetch(url, init);
      expect(written.status).toBe(200);
      await written.text();
      let received = 0;
      const answer = await fetch(url, { headers });
      for await (const chunk of answer.body as ReadableStream<Uint8Array>) {
        const at = received % megabyte;
        const same = Math.min(chunk.length, megabyte - at);
        if (Buffer.compare(chunk.subarray(0, same), piece.subarray(at, at + same)) !== 0) {
          throw new Error(`what came back differs after byte ${received}`);
        }
        received += chunk.length;
      }
      expect(received).toBe(total);
    });

    test('finds out whether the sandbox is there', async () => {
      const broker = stage.at('default');
      const session = await broker.session();
      const path = `/envd/${session.sandboxId}/health`;
      expect((await broker.fetch(path, { headers: bearer(session) })).status).toBe(204);
      await stage.killSandboxes();
      const gone = await broker.fetch(path, { headers: bearer(session) });
      expect(await gone.json()).toMatchObject({ code: 'sandbox_not_found' });
    });
  });
}
