/** What the log has of each attempt, and that nothing secret is in any output. It comes last: it reads what all made. */

import { inspect } from 'node:util';
import type { Session } from 'e2b-edge/broker';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { bearer, everything } from '../broker-client.js';
import type { BrokerStage } from '../broker-stage.js';
import { findSecrets } from '../find-secrets.js';
import { enter } from '../open-preview.js';

export function audit(stage: BrokerStage): void {
  describe('each attempt', () => {
    const attempts: Record<string, [path: string, init: RequestInit, event: Record<string, unknown>]> = {
      'of no route': ['/nowhere', {}, { action: 'unknown', status: 404 }],
      'of a wrong method': ['/sessions/refresh', { method: 'PUT' }, { status: 405 }],
      'that is too long': [`/sessions?${'x'.repeat(12_000)}`, {}, { status: 414, code: 'uri_too_long' }],
      'with too many headers': [
        '/sessions',
        { headers: { 'x-a': 'a'.repeat(5_000), 'x-b': 'b'.repeat(5_000) } },
        { status: 431, code: 'headers_too_large' },
      ],
      'of another site': [
        '/sessions',
        { method: 'POST', headers: { origin: 'https://evil.example' } },
        { status: 403 },
      ],
      'without a token': ['/envd/i1/health', {}, { action: 'health', status: 401, code: 'unauthenticated' }],
      'with a forged token': [
        '/envd/i1/health',
        { headers: { authorization: 'Bearer a.b.c' } },
        { status: 401, code: 'unauthenticated' },
      ],
      'with a broken escape': ['/envd/%zz/health', {}, { outcome: 'refused' }],
      'of a preflight': [
        '/sessions',
        { method: 'OPTIONS', headers: { 'access-control-request-method': 'POST' } },
        { action: 'preflight', outcome: 'allowed' },
      ],
    };
    test.each(Object.entries(attempts))('%s is one event', async (_name, [path, init, wanted]) => {
      const broker = stage.at('audited');
      const before = (await broker.events()).length;
      const response = await broker.fetch(path, init);
      await response.text();
      const events = (await broker.events()).slice(before);
      expect(events).toHaveLength(1);
      expect(events[0]).toMatchObject({
        ...(response.status >= 400 && { outcome: 'refused' }),
        ...wanted,
        requestId: response.headers.get('x-request-id'),
        status: response.status,
      });
    });
  });

  test('no output of the suite has a secret of it', async () => {
    const broker = stage.at('stored');
    const printed = listenToConsole();
    // All that opens something is given out once, so that this is a test of its own as well.
    const session = await broker.session({
      subject: 'audited',
      grants: { ...everything, ports: [3000] },
      invite: { pty: 'read' },
    });
    const json = { ...bearer(session), 'content-type': 'application/json' };
    const post = async (path: string, body: unknown = {}): Promise<Record<string, unknown>> => {
      const answer = await broker.fetch(path, { method: 'POST', headers: json, body: JSON.stringify(body) });
      return (await answer.json()) as Record<string, unknown>;
    };
    const { token: refreshed } = await post('/sessions/refresh');
    const { invitation } = await post(`/sessions/${session.sessionId}/invite`);
    const guest = await broker.session({ subject: 'guest' }, { invitation });
    const signed = await post('/files/sign', { path: '/home/user/x', op: 'read' });
    const entered = await enter(stage, session);
    stage.take(new Headers(Object.entries(entered.headers).flatMap(pairsOf)), entered.text);
    const mint = { direct: true, sandboxId: session.sandboxId };
    const directly = await broker.mint({ subject: 'audited', dangerouslyAllowDirect: true }, mint);
    const { direct } = (await directly.json()) as { direct: { headers: Record<string, string> } };
    const given = {
      token: session.token,
      refreshed,
      invitation,
      guest: guest.token,
      signature: new URL(signed.url as string).searchParams.get('signature'),
      cookie: /-e2b-preview=([^;]+)/.exec(entered.headers['set-cookie']?.[0] ?? '')?.[1],
      direct: direct.headers['x-access-token'],
    };
    for (const [name, secret] of Object.entries(given))
      expect([name, stage.secrets.has(secret as string)]).toEqual([name, true]);

    const errors = await clientErrors(stage, session);
    const secrets = [...stage.secrets];
    expect(findSecrets(errors, secrets)).toEqual([]);
    expect(findSecrets(printed(), secrets)).toEqual([]);
    // Both outputs of the program, with each event as a line.
    expect(findSecrets(stage.host.output(), secrets)).toEqual([]);
    expect(stage.host.output()).toContain(session.sessionId);
    expect(findSecrets(stage.answers.join('\n'), [...stage.upstreamSecrets])).toEqual([]);
    for (const secret of Object.values(given) as string[])
      expect(findSecrets(`${stage.host.output()} ${secret}`, secrets)).toContain(secret);
  });
}

function pairsOf([name, value]: [string, string | string[] | undefined]): [string, string][] {
  return [value ?? []].flat().map((one) => [name, one]);
}

/** What the client has to say where it is refused, with all that its errors hold. */
async function clientErrors(stage: BrokerStage, session: Session): Promise<string> {
  const broker = stage.at('stored');
  const sandbox = await broker.connect(session);
  const forged = { ...session, token: `${session.token.slice(0, -4)}AAAA` };
  const nowhere = { ...session, urls: { ...session.urls, envd: 'http://127.0.0.1:1/envd' } };
  const failures: (() => Promise<unknown>)[] = [
    () => sandbox.files.read('/missing'),
    () => sandbox.commands.run('exit 3'),
    () => sandbox.commands.run('true', { user: 'nobody-such' }),
    async () => (await broker.connect(forged)).files.list('/'),
    async () => (await broker.connect(nowhere)).files.list('/'),
    async () => {
      await broker.revoke({ sessionId: session.sessionId });
      await sandbox.files.list('/');
    },
  ];
  let said = '';
  for (const failure of failures) {
    const error: unknown = await failure().catch((reason: unknown) => reason);
    if (error instanceof Error) said += inspect(error, { depth: 12, showHidden: true });
  }
  expect(said).toContain('session_revoked');
  return said;
}

function listenToConsole(): () => string {
  const spies = (['debug', 'log', 'info', 'warn', 'error'] as const).map((name) => vi.spyOn(console, name));
  onTestFinished(() => {
    for (const spy of spies) spy.mockRestore();
  });
  return () =>
    inspect(
      spies.map(({ mock }) => mock.calls),
      { depth: 12 },
    );
}
