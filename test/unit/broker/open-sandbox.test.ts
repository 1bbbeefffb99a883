import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Authorization } from '../../../src/broker/authorization.js';
import { everything, type Harness, startHarness } from './support/harness.js';

let harness: Harness;

beforeEach(async () => {
  harness = await startHarness();
});

afterEach(() => harness.close());

function allow(sandbox: Authorization['sandbox']): void {
  harness.authorization = { subject: 'ann', sandbox, grants: everything };
}

const sent = () =>
  harness.fake.control
    .filter(({ method }) => method === 'POST')
    .map(({ path, body }) => [path, JSON.parse(body.toString())] as const);

describe('the sandbox of a session', () => {
  test('is made as the application says, and no more is said of it', async () => {
    allow({ template: 'base' });
    await harness.mint();
    allow({ template: 'base', onTimeout: 'kill', endWithSession: true });
    await harness.mint();
    allow({ template: 'base', onTimeout: 'pause', reuse: 'x', envs: {} });
    await harness.mint();
    const own = {
      e2bEdgeSubject: 'ann',
      e2bEdgeIssuer: 'e2b-edge',
      'e2b-edge-create': expect.any(String),
    };
    const plain = { templateID: 'base', timeout: 300 };
    expect(sent().map(([, body]) => body)).toEqual([
      { ...plain, metadata: { ...own, e2bEdgeTemplate: 'base' } },
      {
        ...plain,
        metadata: { ...own, e2bEdgeTemplate: 'base', e2bEdgeEnd: 'session' },
        autoPause: false,
      },
      { ...plain, metadata: { ...own, e2bEdgeReuse: 'named:x' }, autoPause: true, envVars: {} },
    ]);
  });

  test('lives on for as long as is said also where it was there before', async () => {
    const { sandboxId } = await harness.mint();
    harness.fake.control.length = 0;
    allow({ id: sandboxId, timeoutMs: 60_000 });
    await harness.mint();
    await harness.mint({ sandboxId });
    allow({ template: 'base', timeoutMs: 90_000 });
    await harness.mint({ sandboxId });
    const path = `/v2/sandboxes/${sandboxId}/connect`;
    expect(sent()).toEqual([
      [path, { timeout: 60 }],
      [path, { timeout: 60 }],
      [path, { timeout: 90 }],
    ]);
  });

  test('is made under a key of which the control plane is told, lest it is made twice', async () => {
    await harness.mint();
    const [seen] = harness.fake.control;
    const key = seen?.headers['idempotency-key'];
    expect(key).toMatch(/^[0-9a-f]{32}$/);
    expect(JSON.parse(String(seen?.body)).metadata['e2b-edge-create']).toBe(key);
  });
});
