/** Who is answered at all: origins, tokens, routes. */

import type { Session } from 'e2b-edge/broker';
import { SignJWT } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { bearer } from '../broker-client.js';
import type { BrokerStage } from '../broker-stage.js';
import { pageOrigin } from '../host/setup.js';

export function http(stage: BrokerStage): void {
  /** Of the scripted service, where a sandbox costs nothing. */
  let session: Session;
  let other: Session;
  const broker = () => stage.at('scripted');
  beforeAll(async () => {
    [session, other] = [await broker().session(), await broker().session()];
  });

  /** How a call to envd is answered, and whether it got there. */
  async function call(headers: Record<string, string>, query = ''): Promise<unknown> {
    stage.scripted.envd.length = 0;
    const response = await broker().fetch(`/envd/${session.sandboxId}/process.Process/List${query}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: '{}',
    });
    const { code } = (await response.json()) as { code?: string };
    return { status: response.status, code, reached: stage.scripted.envd.length > 0 };
  }

  const forged = async (
    claims: Record<string, unknown>,
    secret = stage.setup.signingKey,
  ): Promise<string> => {
    const [head, body] = session.token.split('.').map((part) => Buffer.from(part, 'base64url').toString());
    return new SignJWT({ ...JSON.parse(body as string), ...claims })
      .setProtectedHeader(JSON.parse(head as string))
      .sign(new TextEncoder().encode(secret));
  };

  describe('a token', () => {
    test('that is good is', async () => {
      expect(await call(bearer(session))).toEqual({ status: 200, code: undefined, reached: true });
    });

    test.each<[string, () => Record<string, string> | Promise<Record<string, string>>]>([
      ['that is absent', () => ({})],
      ['that is none', () => ({ authorization: 'Bearer nonsense' })],
      ['of another kind of credential', () => ({ authorization: `Basic ${session.token}` })],
      ['in a cookie alone', () => ({ cookie: `token=${session.token}` })],
      ['with a changed signature', () => ({ authorization: `Bearer ${session.token.slice(0, -4)}AAAA` })],
      [
        'signed with another key',
        async () => ({ authorization: `Bearer ${await forged({}, 'x'.repeat(43))}` }),
      ],
      [
        'without a signature',
        () => {
          const [, body] = session.token.split('.');
          const head = Buffer.from('{"alg":"none","typ":"e2b-session+jwt"}').toString('base64url');
          return { authorization: `Bearer ${head}.${body}.` };
        },
      ],
      ['of another sandbox', () => bearer(other)],
    ])('%s is answered with 401, and envd is not asked', async (_what, headers) => {
      expect(await call(await headers())).toEqual({ status: 401, code: 'unauthenticated', reached: false });
    });

    test.each(['token', 'access_token'])('in the query alone, as `%s`, is none', async (name) => {
      const refused = { status: 401, code: 'unauthenticated', reached: false };
      expect(await call({}, `?${name}=${session.token}`)).toEqual(refused);
    });
  });

  describe('a page of another origin', () => {
    const evil = 'https://evil.example';

    test('is refused and cannot read why', async () => {
      expect(await call({ ...bearer(session), origin: evil })).toMatchObject({
        status: 403,
        code: 'origin_not_allowed',
        reached: false,
      });
      const response = await broker().fetch('/sessions', { method: 'POST', headers: { origin: evil } });
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
      await response.text();
    });

    test('is refused its preflight', async () => {
      const response = await broker().fetch('/sessions', {
        method: 'OPTIONS',
        headers: { origin: evil, 'access-control-request-method': 'POST' },
      });
      expect(response.status).toBe(403);
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
      await response.text();
    });
  });

  test('a preflight of the page is answered', async () => {
    const response = await broker().fetch(`/envd/${session.sandboxId}/files`, {
      method: 'OPTIONS',
      headers: {
        origin: pageOrigin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization, content-type, x-evil',
      },
    });
    expect(response.status).toBe(204);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'access-control-allow-origin': pageOrigin,
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': 'authorization, content-type',
    });
  });

  test('an answer to the page can be read by it', async () => {
    const { headers } = await broker().fetch(`/sessions/${session.sessionId}`, {
      headers: { ...bearer(session), origin: pageOrigin },
    });
    expect(Object.fromEntries(headers)).toMatchObject({
      'access-control-allow-origin': pageOrigin,
      'access-control-allow-credentials': 'true',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
  });

  test.each([
    ['GET', '/nowhere', 404, 'route_not_found'],
    ['GET', '', 404, 'route_not_found'],
    ['GET', '/envd/i1/init', 404, 'route_not_found'],
    ['PUT', '/sessions', 405, 'method_not_allowed'],
    ['DELETE', '/envd/i1/files', 405, 'method_not_allowed'],
    ['GET', '/pty/i1', 426, 'upgrade_required'],
    ['POST', '/sessions', 415, 'unsupported_media_type'],
  ])('%s %s is answered with %i, %s', async (method, path, status, code) => {
    const response = await broker().fetch(path, { method });
    expect({ status: response.status, body: await response.json() }).toMatchObject({
      status,
      body: { code },
    });
    expect(await broker().eventOf(response)).toMatchObject({ outcome: 'refused', status, code });
  });
}
