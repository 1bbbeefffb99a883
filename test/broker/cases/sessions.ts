/** Sessions for every taste: a sandbox of one's own, one that is watched, one that others are invited to. */

import type { Session } from 'e2b-edge/broker';
import type { Sandbox } from 'e2b-edge/browser';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { bearer, everything } from '../broker-client.js';
import type { BrokerStage } from '../broker-stage.js';
import { pageOrigin } from '../host/setup.js';

type Terminal = Awaited<ReturnType<Sandbox['pty']['create']>>;

/**
 * Reads until something is there.
 * @param line is typed again where what was printed meanwhile is declared lost.
 */
async function readUntil({ channel }: Terminal, awaited: string, line?: string): Promise<string> {
  let text = '';
  for await (const event of channel) {
    if (event.type === 'gap' && line !== undefined) await channel.send(typed(line));
    if (event.type !== 'output') continue;
    text += new TextDecoder().decode(event.data);
    channel.ack(event.offset + event.data.length);
    if (text.includes(awaited)) return text;
  }
  throw new Error(`the terminal ended: ${text}`);
}

const typed = (line: string) => new TextEncoder().encode(line);
const size = { cols: 80, rows: 24 };
const socketed = { ...size, transport: 'websocket' } as const;

export function sessions(stage: BrokerStage): void {
  const post = (session: Session, what: string, body: unknown = {}): Promise<Response> =>
    fetch(`${session.urls.session}/${what}`, {
      method: 'POST',
      headers: { ...bearer(session), 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

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

  describe('a subject’s own sandbox', () => {
    const own = { subject: 'own', sandbox: { template: 'base', reuse: true as const } };

    test('is one for two tabs at once, found again, and resumed where it is paused', async () => {
      const broker = stage.at('stored');
      const tabs = await Promise.all([broker.session(own), broker.session(own)]);
      expect(tabs[0]?.sandboxId).toBe(tabs[1]?.sandboxId);
      const sandbox = await broker.connect(tabs[0]);
      await sandbox.files.write('/home/user/kept', 'still here');
      expect(await sandbox.pause()).toBe(true);
      const later = await broker.session(own);
      expect(later.sandboxId).toBe(tabs[0]?.sandboxId);
      expect(await (await broker.connect(later)).files.read('/home/user/kept')).toBe('still here');
      const others = await broker.session({ ...own, subject: 'other' });
      expect(others.sandboxId).not.toBe(later.sandboxId);
    });

    test('is killed with the session where the application says so, by the page or by a revocation', async () => {
      const broker = stage.at('stored');
      const ending = { sandbox: { template: 'base', endWithSession: true } };
      const session = await broker.session(ending);
      const sandbox = await broker.connect(session);
      expect(await sandbox.endSession()).toEqual({ revoked: true, killed: true });
      const again = await broker.mint({}, { sandboxId: session.sandboxId });
      expect([again.status, ((await again.json()) as { code: string }).code]).toEqual([
        404,
        'sandbox_not_found',
      ]);
    });

    test('is not said to live on where the answer that it was killed got lost', async () => {
      const broker = stage.at('stored');
      const session = await broker.session({ sandbox: { template: 'base', endWithSession: true } });
      let lost = 0;
      const sandbox = await broker.connect(session, {
        fetch: async (url, init) => {
          const response = await fetch(url, init);
          if (init?.method !== 'DELETE' || lost++ > 0) return response;
          throw new TypeError('the connection died');
        },
      });
      expect(await sandbox.endSession()).toEqual({ revoked: true, killed: undefined });
      const again = await broker.mint({}, { sandboxId: session.sandboxId });
      expect(again.status).toBe(404);
    });
  });

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

  describe('the lifecycle', () => {
    test('is the page’s as it is granted: told of, put off, paused with a terminal open, resumed, killed', async () => {
      const broker = stage.at('default');
      const session = await broker.session();
      const sandbox = await broker.connect(session);
      expect(await sandbox.getInfo()).toMatchObject({ sandboxId: session.sandboxId, state: 'running' });
      const before = (await sandbox.getInfo()).endAt;
      await sandbox.setTimeout(3_000_000);
      expect((await sandbox.getInfo()).endAt.getTime()).toBeGreaterThan(before.getTime());
      expect(Array.isArray(await sandbox.getMetrics())).toBe(true);

      const terminal = await sandbox.pty.create(socketed);
      await terminal.channel.send(typed('x=7; echo up-$((1+1))\n'));
      await readUntil(terminal, 'up-2');
      terminal.channel.close();
      expect(await sandbox.pause()).toBe(true);
      expect(await sandbox.pause()).toBe(false);
      expect(await sandbox.isRunning()).toBe(false);
      const refused = await fetch(`${session.urls.envd}/health`, { headers: bearer(session) });
      expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([
        409,
        'sandbox_paused',
      ]);
      const refreshed = await fetch(session.urls.refresh, { method: 'POST', headers: bearer(session) });
      expect(refreshed.status).toBe(200);
      expect((await sandbox.getInfo()).state).toBe('paused');

      await sandbox.resume();
      const back = await sandbox.pty.connect(terminal.pid, socketed);
      await back.channel.send(typed('echo kept-$((6*x))\n'));
      await readUntil(back, 'kept-42', 'echo kept-$((6*x))\n');
      back.channel.close();
      expect(await (await post(session, 'kill')).json()).toEqual({ killed: true });
      expect(await (await post(session, 'kill')).json()).toEqual({ killed: false });
    });

    test('is nobody’s without the grant', async () => {
      const session = await stage.at('default').session({ grants: { pty: 'write' } });
      for (const what of ['extend', 'pause', 'resume', 'kill', 'invite']) {
        expect((await post(session, what, { timeoutMs: 60_000 })).status).toBe(403);
      }
    });
  });

  describe('a direct session', () => {
    const whole = { grants: everything, dangerouslyAllowDirect: true };

    test('opens envd itself, with no broker between', async () => {
      const broker = stage.at('default');
      const { sandboxId } = await broker.session();
      const response = await broker.mint(whole, { direct: true, sandboxId });
      const { direct } = (await response.json()) as {
        direct: { envdUrl: string; headers: Record<string, string> };
      };
      expect(direct.envdUrl).toBe(stage.local.sandboxUrl);
      const list = await fetch(`${direct.envdUrl}/process.Process/List`, {
        method: 'POST',
        headers: { ...direct.headers, 'content-type': 'application/json' },
        body: '{}',
      });
      expect(list.status).toBe(200);
      expect(await broker.eventOf(response)).toMatchObject({ action: 'mint', direct: true });
    });

    test('is not given where the application does not say so', async () => {
      const response = await stage.at('default').mint({ grants: everything }, { direct: true });
      expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([
        403,
        'direct_not_allowed',
      ]);
    });
  });

  describe('a signed URL', () => {
    test('takes and gives one file with no other credential', async () => {
      const sandbox = await stage.at('default').connect();
      const up = await sandbox.uploadUrl('/home/user/large');
      const form = new FormData();
      form.append('file', new Blob(['much']), 'other-name');
      expect((await fetch(up, { method: 'POST', body: form })).status).toBe(200);
      expect(await sandbox.files.read('/home/user/large')).toBe('much');
      const down = await sandbox.downloadUrl('/home/user/large');
      expect(await (await fetch(down)).text()).toBe('much');
      expect((await fetch(down.replace('large', '.bashrc'))).status).toBe(401);
      expect(
        (
          await fetch(up.replace('/files?', '/files?x=1&').replace(/large/, 'other'), {
            method: 'POST',
            body: form,
          })
        ).status,
      ).toBe(401);
    });
  });

  describe('a mint that is asked for again', () => {
    test('makes one session and one sandbox', async () => {
      const broker = stage.at('stored');
      const ask = async (): Promise<Session | { code: string }> => {
        const response = await broker.fetch('/sessions', {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'idempotency-key': 'k-1',
            'x-test-authorization': JSON.stringify({
              subject: 'once',
              sandbox: { template: 'base' },
              grants: everything,
            }),
          },
          body: '{}',
        });
        return (await response.json()) as Session | { code: string };
      };
      const answers = await Promise.all([ask(), ask(), ask()]);
      const again = (await ask()) as Session;
      const sessions = answers.filter((answer): answer is Session => 'token' in answer);
      expect(new Set(sessions.map(({ sessionId }) => sessionId))).toEqual(new Set([again.sessionId]));
      const rest = answers.filter((answer) => 'code' in answer);
      expect(rest.every((answer) => 'code' in answer && answer.code === 'idempotency_in_progress')).toBe(
        true,
      );
      await post(
        { ...again, urls: { ...again.urls, session: new URL(again.urls.session, broker.url).href } },
        'kill',
      );
    });
  });

  describe('the published keys', () => {
    test('verify a token of the broker’s, and are none of a broker with a secret', async () => {
      const broker = stage.at('asymmetric');
      const { token } = await broker.session();
      const jwks = (await (await broker.fetch('/.well-known/jwks.json')).json()) as JSONWebKeySet;
      expect(jwks.keys.map((key) => Object.keys(key).sort().join())).toEqual(['alg,crv,kid,kty,use,x,y']);
      expect((await jwtVerify(token, createLocalJWKSet(jwks))).payload).toMatchObject({ sub: 'ann' });
      expect((await stage.at('default').fetch('/.well-known/jwks.json')).status).toBe(404);
    });
  });
}
