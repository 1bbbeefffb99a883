import { Miniflare } from 'miniflare';
import { afterAll, beforeAll, inject } from 'vitest';
import { bundle } from './bundle.js';
import { type CaseResult, defineSuites } from './define.js';

let workerd: Miniflare;

beforeAll(async () => {
  workerd = new Miniflare({
    modules: true,
    script: await bundle('./workerd-entry.ts', ['workerd', 'worker', 'browser']),
    compatibilityDate: '2026-04-01',
    // No flags: above all no nodejs_compat.
    compatibilityFlags: [],
  });
  await workerd.ready;
});

afterAll(async () => {
  await workerd.dispose();
});

defineSuites('workerd', async (id) => {
  const answer = await workerd.dispatchFetch('http://suite.test/', {
    method: 'POST',
    body: JSON.stringify({ env: inject('stage'), id }),
  });
  if (!answer.ok) throw new Error(`workerd answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as CaseResult;
});
