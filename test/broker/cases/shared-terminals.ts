/** One terminal for several people: some who watch it, and some who were invited. */

import type { Session } from 'e2b-edge/broker';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { bearer, everything } from '../broker-client.js';
import type { BrokerStage } from '../broker-stage.js';
import { pageOrigin } from '../host/setup.js';
import { readUntil, size, socketed, typed } from '../read-terminal.js';

export function sharedTerminals(stage: BrokerStage): void {
  /** Speaks the terminal's protocol as no client of ours would, and tells what came of it. */
  function assault(
    session: Session,
    pid: number,
    frame: Buffer,
  ): Promise<{ codes: unknown[]; mode: unknown }> {
    const url = session.urls.pty.replace('http', 'ws');
    const socket = new WebSocket(url, 'e2b-edge.pty.v1', { origin: pageOrigin });
    const hello = {
      token: session.token,
      clientId: 'c',
      pty: pid,
      have: 0,
      acked: 0,
      window: 262_144,
      mode: 'write',
    };
    const codes: unknown[] = [];
    let mode: unknown;
    return new Promise((resolve, reject) => {
      socket.once('open', () => socket.send(frameOf(1, JSON.stringify({ ...hello, ...size }))));
      socket.on('message', (data: Buffer) => {
        const [type] = data;
        if (type !== 2 && type !== 16) return;
        const message = JSON.parse(data.subarray(9).toString()) as { mode?: string; code?: string };
        if (message.code !== undefined) codes.push(message.code);
        if (message.mode === undefined) return;
        mode = message.mode;
        socket.send(frame);
      });
      socket.once('close', (code) => resolve({ codes: [...codes, code], mode }));
      socket.once('error', reject);
    });
  }
  const frameOf = (type: number, payload: string): Buffer =>
    Buffer.concat([Buffer.from([type]), Buffer.alloc(8), Buffer.from(payload)]);

  describe('somebody who watches', () => {
    test('sees what the terminal prints, and can neither type, resize, nor see anything else', async () => {
      const broker = stage.at('default');
      const session = await broker.session({ subject: 'streamer' });
      const sandbox = await broker.connect(session);
      const terminal = await sandbox.pty.create(socketed);
      await terminal.channel.send(typed('echo ready-$((40+2))\n'));
      await readUntil(terminal, 'ready-42');
      const build = await sandbox.commands.run('sleep 60', { background: true });

      const watching = await broker.session({
        subject: 'viewer',
        sandbox: { id: session.sandboxId },
        processesOf: 'streamer',
        grants: { pty: 'read' },
      });
      const viewer = await broker.connect(watching);
      const view = await viewer.pty.connect(terminal.pid, socketed);
      await readUntil(view, 'ready-42');
      await terminal.channel.send(typed('echo seen-$((50+5))\n'));
      await readUntil(view, 'seen-55');
      expect((await viewer.commands.list()).map(({ pid }) => pid)).toEqual([terminal.pid]);

      await expect(view.channel.send(typed('touch /tmp/viewer\n'))).rejects.toThrow('only watch');
      const typing = await assault(watching, terminal.pid, frameOf(4, 'touch /tmp/viewer\n'));
      expect(typing).toEqual({ mode: 'read', codes: ['read_only', 4403] });
      const resizing = frameOf(6, JSON.stringify({ cols: 11, rows: 11 }));
      expect(await assault(watching, terminal.pid, resizing)).toEqual({
        mode: 'read',
        codes: ['read_only', 4403],
      });
      for (const attempt of [
        () => viewer.pty.sendInput(terminal.pid, typed('touch /tmp/viewer\n')),
        () => viewer.pty.resize(terminal.pid, { cols: 11, rows: 11 }),
        () => viewer.pty.kill(terminal.pid),
        () => viewer.pty.create(socketed),
        () => viewer.commands.run('id'),
        () => viewer.commands.connect(build.pid),
        () => viewer.files.read('/etc/hostname'),
      ]) {
        await expect(attempt()).rejects.toMatchObject({ name: expect.any(String) });
      }
      await terminal.channel.send(typed('echo $(stty size) $(ls /tmp/viewer 2>&1)\n'));
      const after = await readUntil(terminal, 'No such file');
      expect(after).toContain('24 80');

      const nosy = await broker.session({
        subject: 'nosy',
        sandbox: { id: session.sandboxId },
        grants: { pty: 'read' },
      });
      const stranger = await broker.connect(nosy);
      expect(await stranger.commands.list()).toEqual([]);
      await expect(stranger.pty.connect(terminal.pid, socketed)).rejects.toMatchObject({
        code: 'process_not_found',
      });
      view.channel.close();
      await terminal.kill();
    });
  });

  describe('two windows of one user', () => {
    test('write one at a time: the newer takes over, the older watches and may take over again', async () => {
      const broker = stage.at('default');
      const session = await broker.session({ subject: 'twofold' });
      const laptop = await (await broker.connect(session)).pty.create(socketed);
      const told = new Promise((resolve) => laptop.onMode(resolve));
      const other = await broker.session({ subject: 'twofold' }, { sandboxId: session.sandboxId });
      const phone = await (await broker.connect(other)).pty.connect(laptop.pid, { ...socketed, cols: 50 });
      expect(await told).toBe('read');
      expect([laptop.mode, phone.mode]).toEqual(['read', 'write']);
      await phone.send('echo by-the-$((1+1))nd; stty size\n');
      await readUntil(phone, 'by-the-2nd\r\n24 50');
      await readUntil(laptop, 'by-the-2nd\r\n24 50');
      await expect(laptop.send('echo no\n')).rejects.toMatchObject({ code: 'input_not_executed' });

      await laptop.takeOver();
      await laptop.send('echo by-the-$((0+1))st; stty size\n');
      await readUntil(laptop, 'by-the-1st\r\n24 80');
      expect(phone.mode).toBe('read');

      const watching = await broker.session({
        subject: 'onlooker',
        sandbox: { id: session.sandboxId },
        processesOf: 'twofold',
        grants: { pty: 'read' },
      });
      const view = await (await broker.connect(watching)).pty.connect(laptop.pid, socketed);
      expect(view.mode).toBe('read');
      await expect(view.takeOver()).rejects.toMatchObject({
        name: 'PermissionDeniedError',
        code: 'read_only',
      });
      expect(laptop.mode).toBe('write');
      const events = (await broker.events()).filter(({ sandboxId }) => sandboxId === session.sandboxId);
      expect(events.filter(({ terminal }) => terminal?.event === 'takeover')).toHaveLength(2);
      for (const { channel } of [view, phone]) channel.close();
      await laptop.kill();
    });
  });

  describe('a new token', () => {
    test('is what an open terminal goes on by, without a cut, and grants no more than it says', async () => {
      const broker = stage.at('short-tokens');
      const subject = 'renewed';
      const session = await broker.session({ subject });
      const terminal = await (await broker.connect(session)).pty.create(socketed);
      const statuses: string[] = [];
      terminal.channel.onStatus(({ state }) => statuses.push(state));
      const turned = new Promise((resolve) => terminal.onMode(resolve));
      await broker.setAuthorization(subject, {
        sandbox: { id: session.sandboxId },
        grants: { ...everything, pty: 'read' },
      });
      expect(await turned).toBe('read');
      await expect(terminal.send('echo no\n')).rejects.toMatchObject({ code: 'input_not_executed' });
      await expect(terminal.takeOver()).rejects.toMatchObject({ code: 'read_only' });
      const other = await broker.session({ subject }, { sandboxId: session.sandboxId });
      await (await broker.connect(other)).pty.sendInput(terminal.pid, typed('echo still-$((40+2))\n'));
      await readUntil(terminal, 'still-42');
      expect(statuses).toEqual([]);
      terminal.channel.close();
    });
  });

  describe('an invitation', () => {
    test('brings a second person to a terminal, and ends with the session that gave it', async () => {
      const broker = stage.at('stored');
      const session = await broker.session({ subject: 'host', invite: { pty: 'write' } });
      const sandbox = await broker.connect(session);
      const terminal = await sandbox.pty.create(socketed);
      const { invitation } = await sandbox.invite();
      const joined = { subject: 'guest', grants: everything };
      const guestSession = await broker.session(joined, { invitation });
      expect(guestSession).toMatchObject({
        sandboxId: session.sandboxId,
        grant: { pty: 'write', commands: 'none', files: [], lifecycle: [] },
      });
      const guest = await broker.connect(guestSession);
      const shared = await guest.pty.connect(terminal.pid, socketed);
      await shared.channel.send(typed('echo from-the-$((1+1))nd\n'));
      await readUntil(shared, 'from-the-2nd');

      const used = await broker.mint({ subject: 'late' }, { invitation });
      expect([used.status, ((await used.json()) as { code: string }).code]).toEqual([
        403,
        'invitation_invalid',
      ]);
      for (const token of [session.token, guestSession.token]) {
        expect((await broker.mint({ subject: 'late' }, { invitation: token })).status).toBe(403);
      }
      const bare = await broker.fetch('/sessions/refresh', {
        method: 'POST',
        headers: { authorization: `Bearer ${invitation}` },
      });
      expect(bare.status).toBe(401);

      await sandbox.endSession();
      const health = await fetch(`${guestSession.urls.envd}/health`, { headers: bearer(guestSession) });
      expect([health.status, ((await health.json()) as { code: string }).code]).toEqual([
        401,
        'session_revoked',
      ]);
      shared.channel.close();
      terminal.channel.close();
    });
  });
}
