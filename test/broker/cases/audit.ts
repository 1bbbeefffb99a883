/** What the log has of each attempt, and that nothing secret is in any output. It comes last: it reads what all made. */

import { describe, expect, test } from 'vitest';
import { bearer } from '../broker-client.js';
import type { BrokerStage } from '../broker-stage.js';
import { findSecrets } from '../find-secrets.js';

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
    const broker = stage.at('audited');
    const session = await broker.session();
    const sandbox = await broker.connect(session);
    await sandbox.commands.run('echo $SECRET', { envs: { SECRET: 'x' } });
    await broker.fetch('/sessions/refresh', { method: 'POST', headers: bearer(session) });
    await expect(sandbox.files.read('/missing')).rejects.toThrow();
    expect(stage.secrets.size).toBeGreaterThan(10);
    expect(findSecrets(stage.host.output(), [...stage.secrets])).toEqual([]);
    expect(stage.answers.length).toBeGreaterThan(10);
    expect(findSecrets(stage.answers.join('\n'), [...stage.upstreamSecrets])).toEqual([]);
    const planted = `${stage.host.output()} ${stage.setup.signingKey}`;
    expect(findSecrets(planted, [...stage.secrets])).toEqual([stage.setup.signingKey]);
  });
}
