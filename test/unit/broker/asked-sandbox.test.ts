import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Authorization } from '../../../src/broker/authorization.js';
import { everything, type Harness, startHarness } from './support/harness.js';

let harness: Harness;

beforeEach(async () => {
  harness = await startHarness();
});

afterEach(() => harness.close());

type Sandbox = Authorization['sandbox'];

async function open(sandbox: Sandbox, sandboxId?: string): Promise<string> {
  harness.authorization = { subject: 'ann', sandbox, grants: everything };
  return (await harness.mint(sandboxId === undefined ? {} : { sandboxId })).sandboxId;
}

const base: Sandbox = { template: 'base' };

describe('a page that asks for a sandbox of its user’s by its id', () => {
  test.each<[string, Sandbox]>([
    ['a template', base],
    ['a template, to end with the session', { ...base, endWithSession: true }],
    ['a name', { ...base, reuse: 'project-7' }],
    ['a name, to end with the session', { ...base, reuse: true, endWithSession: true }],
  ])('gets the one that was made for the same answer: %s', async (_, sandbox) => {
    const sandboxId = await open(sandbox);
    expect(await open(sandbox, sandboxId)).toBe(sandboxId);
  });

  test.each<[string, Sandbox, Sandbox]>([
    ['of another template', { template: 'node' }, base],
    ['that is found again', { ...base, reuse: true }, base],
    ['that is found again by a name', { ...base, reuse: 'project-7' }, base],
    ['that was made for one session, for one that is found again', base, { ...base, reuse: true }],
    ['of another name', { ...base, reuse: 'project-7' }, { ...base, reuse: 'project-8' }],
    ['that was not made to end with a session, to end it', base, { ...base, endWithSession: true }],
  ])('gets none %s', async (_, made, allowed) => {
    const sandboxId = await open(made);
    await expect(open(allowed, sandboxId)).rejects.toMatchObject({ code: 'sandbox_not_found' });
    expect(harness.fake.control.filter(({ path }) => path.endsWith('/connect'))).toEqual([]);
  });

  test('gets no other than the application names', async () => {
    const [one, two] = [await open(base), await open(base)];
    expect(await open({ id: one }, one)).toBe(one);
    await expect(open({ id: one }, two)).rejects.toMatchObject({ code: 'sandbox_not_found' });
  });

  test('may be let go on with any that the application finds right', async () => {
    const sandboxId = await open({ template: 'node' });
    expect(await open({ id: sandboxId }, sandboxId)).toBe(sandboxId);
  });
});
