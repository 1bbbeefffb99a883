/** Attacks of which only one line is in the way: see `test/mutation/defences.mjs`. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { errorResponse } from '../../../src/broker/error-response.js';
import { SandboxError } from '../../../src/errors.js';
import { Process } from '../../../src/wire/gen/process/process_pb.js';
import { json } from './support/fake-e2b.js';
import { bearer, everything, type Harness, refusal, startHarness } from './support/harness.js';

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness({ sandboxUrl: undefined });
});

beforeEach(() => {
  harness.fake.envd.length = 0;
  harness.fake.onControl = undefined;
});

afterAll(() => harness.close());

test.each([
  'evil.test/x',
  'evil.test?',
  'user@evil.test',
  'evil.test#',
  'EVIL.test',
  '.',
  'a..b',
  'evil.test:port',
])('a sandbox is not looked for at the domain %j, not even if the control plane says so', async (domain) => {
  harness.fake.onControl = ({ method }, response) => {
    if (method !== 'POST') return false;
    json(response, 201, {
      sandboxID: 'evil',
      templateID: 'base',
      envdVersion: '0.6.13',
      envdAccessToken: 't',
      domain,
    });
    return true;
  };
  await expect(harness.session(everything)).rejects.toMatchObject({ code: 'upstream_unavailable' });
});

test('a page does not choose the mark of what it starts', async () => {
  const own = await startHarness();
  try {
    const session = await own.mint();
    const process = { cmd: '/bin/bash', args: ['-l', '-c', 'ls'] };
    await own.rpc(session, Process.method.start, { process, tag: 'mine' });
    expect(own.fake.calls('process.Process/Start')).toMatchObject([
      { tag: expect.stringMatching(/^e2b-edge:/) },
    ]);
  } finally {
    await own.close();
  }
});

test('a form without a path in the query is not passed on: its names would choose where it goes', async () => {
  const own = await startHarness();
  try {
    const session = await own.mint();
    const body = new FormData();
    body.set('file', new Blob(['x']), '/etc/passwd');
    const answer = await own.send(`/envd/${session.sandboxId}/files`, {
      method: 'POST',
      headers: bearer(session),
      body,
    });
    expect(await refusal(answer)).toEqual({ status: 400, code: 'invalid_argument' });
    expect(own.fake.envd).toEqual([]);
  } finally {
    await own.close();
  }
});

test.each([new Error('the secret words'), new SandboxError('the secret words'), 'the secret words'])(
  'what the broker did not say itself is not shown: %s',
  async (error) => {
    const answer = errorResponse(error, 'id');
    const text = await answer.text();
    expect(answer.status).toBe(500);
    expect(JSON.parse(text)).toMatchObject({ code: 'internal', requestId: 'id' });
    expect(text).not.toContain('secret');
  },
);

test('that all may be read does not let a write follow a symlink out of its prefix', async () => {
  const own = await startHarness();
  try {
    own.fake.links.set('/srv/out', '/etc');
    const session = await own.session({
      files: [
        { op: 'read', prefix: '/' },
        { op: 'write', prefix: '/srv' },
      ],
    });
    own.fake.envd.length = 0;
    const answer = await own.send(`/envd/${session.sandboxId}/files?path=/srv/out/passwd`, {
      method: 'POST',
      headers: { ...bearer(session), 'content-type': 'application/octet-stream' },
      body: 'x',
    });
    expect(await refusal(answer)).toEqual({ status: 403, code: 'permission_denied' });
    expect(own.fake.envd.filter(({ path }) => path === '/files')).toEqual([]);
  } finally {
    await own.close();
  }
});
