/** Sessions for every taste: a sandbox of one's own, its life, direct sessions, signed URLs, mints that are repeated. */

import type { Session } from 'e2b-edge/broker';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import { bearer, everything } from '../broker-client.js';
import type { BrokerStage } from '../broker-stage.js';
import { readUntil, socketed, typed } from '../read-terminal.js';

export function sessions(stage: BrokerStage): void {
  const post = (session: Session, what: string, body: unknown = {}): Promise<Response> =>
    fetch(`${session.urls.session}/${what}`, {
      method: 'POST',
      headers: { ...bearer(session), 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

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
