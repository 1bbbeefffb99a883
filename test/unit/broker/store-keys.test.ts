import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { createMemoryStore } from '../../../src/broker/stores/memory-store.js';
import { bearer, everything, startHarness } from './support/harness.js';

const hashed = (kind: string, id: string) => `${kind}:${createHash('sha256').update(id).digest('hex')}`;

test('what is in a store is found again by brokers of the next release, which look where this one wrote', async () => {
  const memory = createMemoryStore();
  const keys = new Set<string>();
  const harness = await startHarness({
    store: {
      ...memory,
      set: (key, value, expiresAt) => {
        keys.add(key);
        return memory.set(key, value, expiresAt);
      },
      compareAndSet: (key, expected, value, expiresAt) => {
        keys.add(key);
        return memory.compareAndSet(key, expected, value, expiresAt);
      },
    },
  });
  const headers = { 'content-type': 'application/json' };
  harness.authorization = {
    subject: 'ann',
    sandbox: { template: 'base', reuse: true },
    grants: everything,
    invite: { pty: 'read' },
  };
  const session = await harness.mint({}, { headers: { ...headers, 'idempotency-key': 'k1' } });
  const inviting = await harness.send(`/sessions/${session.sessionId}/invite`, {
    method: 'POST',
    headers: { ...headers, ...bearer(session) },
    body: '{}',
  });
  const { invitation } = (await inviting.json()) as { invitation: string };
  await harness.mint({ invitation });
  await harness.revoke({ sessionId: session.sessionId });
  await harness.revoke({ subject: 'ann' });
  const { jti } = JSON.parse(Buffer.from(invitation.split('.')[1] ?? '', 'base64url').toString());
  const mark = { e2bEdgeSubject: 'ann', e2bEdgeIssuer: 'e2b-edge', e2bEdgeReuse: 'own' };
  expect([...keys].sort()).toEqual(
    [
      hashed('mint', JSON.stringify(['e2b-edge', '/api/sandbox', 'ann', 'k1'])),
      hashed('mints', 'ann'),
      hashed('own-sandbox', JSON.stringify(mark)),
      hashed('invitation', jti),
      hashed('ended-session', session.sessionId),
      hashed('ended-subject', 'ann'),
    ].sort(),
  );
  await harness.close();
});
