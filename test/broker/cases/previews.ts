/** Ports of a sandbox, shown below the broker's path and at origins of their own. */

import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { bearer, everything } from '../broker-client.js';
import type { BrokerStage } from '../broker-stage.js';
import { pageOrigin } from '../host/setup.js';
import { enter, grants, led, openPreview, own, places } from '../open-preview.js';
import { askPreview, type PreviewAnswer } from '../preview-request.js';

export function previews(stage: BrokerStage): void {
  describe.each(places)('a preview %s', (_place, name) => {
    const isBelowPath = name === 'stored';

    test('is open to who was let in, and to nobody else', async () => {
      const { session, url, cookie, ask } = await openPreview(stage, name);
      const page = await ask('/', led);
      expect(page).toMatchObject({ status: 200, headers: { 'content-type': 'text/html' } });
      expect(page.text).toContain('It runs');
      const without = await askPreview(stage.host.url, url, led);
      expect(without.status).toBe(401);
      expect(without.text).toContain('This preview is not open');
      const other = await stage.at(name).session({ subject: 'bob', grants });
      const wrong = (await enter(stage, other)).headers['set-cookie']?.[0]?.split(';')[0] ?? '';
      expect(JSON.parse((await ask('/', { ...own, cookie: wrong })).text)).toMatchObject({
        code: 'unauthenticated',
      });
      // A cookie of one port opens no other, is no token of the session, and the other way round.
      const token = cookie.slice(cookie.indexOf('=') + 1);
      const elsewhere = url.replace('3000', '3001');
      expect((await askPreview(stage.host.url, elsewhere, { cookie, ...own })).status).toBe(403);
      const swapped = { cookie: `${cookie.split('=')[0]}=${session.token}`, ...own };
      expect((await askPreview(stage.host.url, url, swapped)).status).toBe(401);
      const refused = await stage.at(name).fetch(`/sessions/${session.sessionId}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      expect(refused.status).toBe(401);
    });

    test('lets in with a token, a granted port and a listed origin alone', async () => {
      const broker = stage.at(name);
      const session = await broker.session({ grants });
      const code = async (answer: Promise<PreviewAnswer>) => JSON.parse((await answer).text).code;
      expect(await code(enter(stage, session, 3000, { origin: pageOrigin }))).toBe('unauthenticated');
      expect(await code(enter(stage, session, 3002))).toBe('permission_denied');
      const evil = { ...bearer(session), origin: 'https://evil.example' };
      expect(await code(enter(stage, session, 3000, evil))).toBe('origin_not_allowed');
      const entered = await enter(stage, session);
      expect(entered.headers).toMatchObject({
        'access-control-allow-origin': pageOrigin,
        'access-control-allow-credentials': 'true',
      });
      expect(entered.headers['set-cookie']?.[0]).toMatch(
        isBelowPath
          ? /^__Secure-e2b-preview=[\w.-]+; Path=\/stored\/ports\/\w+\/3000\/~[0-9a-f-]+\/; Max-Age=\d+; HttpOnly; Secure; SameSite=None$/
          : /^__Host-e2b-preview=[\w.-]+; Path=\/; Max-Age=\d+; HttpOnly; Secure; SameSite=None; Partitioned$/,
      );
      const none = await broker.session({ grants: everything });
      expect(none.urls.preview).toBeUndefined();
    });

    test('passes requests on from scratch, and unchanged where they are the app’s', async () => {
      const { ask, url } = await openPreview(stage, name);
      const seen = await ask(
        '/a%2f..%2fb//c?x=%20y&x',
        {
          ...own,
          origin: isBelowPath ? 'null' : new URL(url).origin,
          'x-own': '1',
          'x-forwarded-for': '1.2.3.4',
          'x-forwarded-host': 'evil.example',
          'e2b-sandbox-id': 'i999',
          'e2b-sandbox-port': '22',
          'e2b-traffic-access-token': 'mine',
          'content-type': 'text/plain',
        },
        { method: 'PATCH', body: 'a body' },
      );
      const { method, url: path, headers, body } = JSON.parse(seen.text);
      expect({ method, path, body }).toEqual({
        method: 'PATCH',
        path: '/a%2f..%2fb//c?x=%20y&x',
        body: 'a body',
      });
      expect(headers).toMatchObject({ 'x-own': '1', 'content-length': '6', 'sec-fetch-site': 'same-origin' });
      expect(headers.origin).toBe(`http://${headers.host}`);
      for (const gone of [
        'cookie',
        'authorization',
        'x-forwarded-for',
        'x-forwarded-host',
        'e2b-traffic-access-token',
      ]) {
        expect(headers).not.toHaveProperty(gone);
      }
      expect(JSON.stringify(headers)).not.toContain('i999');
    });

    test('stays its own on paths that would lead out of it', async () => {
      const { ask, session } = await openPreview(stage, name);
      for (const path of [
        '/../../../../sessions',
        '/%2e%2e/%2e%2e/%2e%2e/sessions',
        '//evil.example/x',
        '/\\evil.example/x',
      ]) {
        const answer = await ask(path);
        if (answer.status === 200) expect(JSON.parse(answer.text).headers.host).toMatch(/^127\.0\.0\.1:\d+$/);
        else expect([401, 403, 404, 405]).toContain(answer.status);
      }
      const { sandboxId } = session;
      const envd = isBelowPath
        ? `${stage.host.url}/stored/ports/${sandboxId}/49983/health`
        : `http://49983-${sandboxId}.preview.localhost/health`;
      expect((await askPreview(stage.host.url, envd, bearer(session))).status).toBe(404);
    });

    test('has a login by cookie and a redirect', async () => {
      const { ask, url, cookie } = await openPreview(stage, name);
      const root = new URL(url).pathname;
      const origin = isBelowPath ? 'null' : new URL(url).origin;
      const site = isBelowPath ? 'cross-site' : 'same-origin';
      const post = {
        ...led,
        'sec-fetch-site': site,
        origin,
        'content-type': 'application/x-www-form-urlencoded',
      };
      const answer = await ask('/login', post, { method: 'POST', body: 'name=ann' });
      expect(answer.status).toBe(303);
      expect(answer.headers.location).toBe(isBelowPath ? `${root}me` : `${url}me`);
      const [sid, plain] = answer.headers['set-cookie'] ?? [];
      expect([sid, plain]).toEqual(
        isBelowPath
          ? [
              `e2b-preview.sid=s3cret; HttpOnly; Path=${root}; Secure; SameSite=None`,
              'e2b-preview.plain=1; Secure; SameSite=None',
            ]
          : [
              'sid=s3cret; HttpOnly; Path=/; Secure; SameSite=None; Partitioned',
              'plain=1; Secure; SameSite=None; Partitioned',
            ],
      );
      const kept = `${cookie}; app=private; ${sid?.split(';')[0]}`;
      expect((await ask('/me', { ...own, cookie: kept })).text).toContain('Hello ann');
      const seen = JSON.parse((await ask('/about', { ...own, cookie: kept })).text) as {
        headers: { cookie: string };
      };
      // The application's own cookies are sent to its whole site; they are none of the sandbox's business.
      expect(seen.headers.cookie).toBe(isBelowPath ? 'sid=s3cret' : 'app=private; sid=s3cret');
      const to = async (location: string) =>
        (await ask(`/to?location=${encodeURIComponent(location)}`)).headers.location;
      expect(await to('http://localhost:3000/x?y#z')).toBe(isBelowPath ? `${root}x?y#z` : `${url}x?y#z`);
      expect(await to('sub/page')).toBe('sub/page');
      expect(await to('https://elsewhere.example/')).toBe('https://elsewhere.example/');
    });

    test('is nothing more than a preview, whatever it says of itself', async () => {
      const { ask } = await openPreview(stage, name);
      const { headers } = await ask('/hostile', led);
      const policies = String(headers['content-security-policy']);
      expect(policies.match(/frame-ancestors[^;,]*/g)).toEqual([`frame-ancestors 'self' ${pageOrigin}`]);
      if (isBelowPath) expect(policies).toMatch(/^sandbox allow-scripts (?!.*allow-same-origin.*,)/);
      for (const gone of [
        'x-frame-options',
        'clear-site-data',
        'strict-transport-security',
        'alt-svc',
        'e2b-traffic-access-token',
      ]) {
        expect(headers).not.toHaveProperty(gone);
      }
      const cookies = (headers['set-cookie'] ?? []).join('\n');
      expect(cookies).not.toMatch(isBelowPath ? /^__(Host|Secure)-/m : /^__Host-e2b-preview/m);
      if (isBelowPath) expect(headers).not.toHaveProperty('service-worker-allowed');
      expect(headers['cache-control']).toBe('private');
    });

    test('streams, both ways', async () => {
      const { ask, session } = await openPreview(stage, name);
      expect((await ask('/big')).text.length).toBe(256 * 65_536);
      const data = randomBytes(3_000_000);
      const headers = { ...own, origin: isBelowPath ? 'null' : '', 'content-length': String(data.length) };
      const sent = await ask('/digest', headers, { method: 'POST', body: data });
      expect(sent.text).toBe(createHash('sha256').update(data).digest('hex'));
      // With the session's own token, as a program has it.
      const broker = stage.at(name);
      const stream = await broker.fetch(`/ports/${session.sandboxId}/3000/events`, {
        headers: bearer(session),
      });
      const reader = stream.body!.getReader();
      expect(new TextDecoder().decode((await reader.read()).value)).toBe('data: one\n\n');
      await reader.cancel();
      // workerd tells that its caller has left when it next writes, and this app says no more.
      if (stage.runtime === 'workerd') return;
      await expect.poll(async () => (await ask('/left')).text, { timeout: 10_000 }).toBe('true');
    });

    test('ends with its session', async () => {
      const { ask, session } = await openPreview(stage, name);
      const broker = stage.at(name);
      const ended = await broker.fetch(`/sessions/${session.sessionId}`, {
        method: 'DELETE',
        headers: bearer(session),
      });
      expect(ended.status).toBe(200);
      const answer = await ask('/about');
      expect(answer.status).toBe(401);
      expect(JSON.parse(answer.text)).toMatchObject({ code: 'session_revoked' });
    });

    test('says what is the matter where nothing listens', async () => {
      const broker = stage.at(name);
      const session = await broker.session({ grants });
      const direct = await broker.fetch(`/ports/${session.sandboxId}/3000/`, { headers: bearer(session) });
      expect(direct.status).toBe(502);
      expect(await direct.json()).toMatchObject({
        code: 'port_closed',
        message: expect.stringContaining('3000'),
      });
      expect(await broker.eventOf(direct)).toMatchObject({
        action: 'preview',
        port: 3000,
        code: 'port_closed',
      });
      const entered = await enter(stage, session);
      const cookie = entered.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
      const url = new URL(JSON.parse(entered.text).url, broker.url).href;
      const page = await askPreview(stage.host.url, url, {
        cookie,
        ...led,
        'user-agent': 'Mozilla/5.0',
        accept: 'text/html',
      });
      expect(page).toMatchObject({
        status: 502,
        headers: { 'content-type': 'text/html; charset=utf-8', refresh: '3' },
      });
      expect(page.text).toContain('Nothing answers at port 3000');
      const { ask } = await openPreview(stage, name);
      expect(await ask('/broken')).toMatchObject({ status: 502, text: '{"message":"my own"}' });
    });
  });

  describe('other sites', () => {
    test('reach no preview at an origin of its own with its cookie', async () => {
      const { ask, url } = await openPreview(stage, 'previews');
      const { origin } = new URL(url);
      const status = async (headers: Record<string, string>, method = 'GET') =>
        (await ask('/about', headers, { method })).status;
      const foreign = {
        'sec-fetch-site': 'cross-site',
        'sec-fetch-mode': 'no-cors',
        'sec-fetch-dest': 'image',
      };
      expect(await status(foreign)).toBe(403);
      expect(await status({ ...foreign, 'sec-fetch-site': 'same-site' })).toBe(403);
      expect(await status({ ...led, 'sec-fetch-dest': 'object' })).toBe(403);
      expect(await status({ ...led, origin: 'https://evil.example' }, 'POST')).toBe(403);
      expect(await status({ ...led, origin: 'null' }, 'POST')).toBe(403);
      expect(await status({ origin: 'https://evil.example' })).toBe(403);
      expect(await status({}, 'POST')).toBe(403);
      expect(await status(led)).toBe(200);
      expect(await status({ ...own, origin }, 'POST')).toBe(200);
      expect(await status({ ...foreign, origin: pageOrigin }, 'POST')).toBe(200);
    });

    test("cannot name the path of one below the broker's, and it has no service worker", async () => {
      const { ask, url, cookie } = await openPreview(stage, 'stored');
      expect((await ask('/about', { origin: 'https://evil.example' })).status).toBe(403);
      const bare = url.replace(/~[0-9a-f-]+\//, '');
      expect((await askPreview(stage.host.url, bare, { cookie, ...own })).status).toBe(401);
      const guessed = url.replace(/~[0-9a-f-]{4}/, '~0000');
      expect((await askPreview(stage.host.url, guessed, { cookie, ...own })).status).toBe(401);
      const worker = await ask('/classic.js', { ...own, 'service-worker': 'script' });
      expect(JSON.parse(worker.text)).toMatchObject({ code: 'service_worker_refused' });
    });
  });
}
