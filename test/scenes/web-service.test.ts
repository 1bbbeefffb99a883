/** One application on three hosts, which have to answer alike. */

import { Sandbox } from 'e2b-edge';
import { type LocalServer, startLocalServer } from 'e2b-edge/local';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Account, hosts, type ServiceHost } from './support/service-host.js';

let server: LocalServer;
let account: Account;

beforeAll(async () => {
  server = await startLocalServer();
  account = { E2B_API_KEY: server.apiKey, E2B_API_URL: server.apiUrl, E2B_SANDBOX_URL: server.sandboxUrl };
});

afterAll(() => server.close());

describe.each(Object.entries(hosts))('on %s', (_name, start) => {
  let host: ServiceHost;
  const answers: string[] = [];

  beforeAll(async () => {
    host = await start(account);
  });

  afterAll(() => host?.close());

  afterEach(() => {
    expect([...answers, host.log()].join('\n')).not.toContain(server.apiKey);
  });

  async function ask(method: string, path: string, body?: BodyInit | object) {
    const isRaw = typeof body === 'string' || body === undefined;
    const answer = await fetch(`${host.url}${path}`, {
      method,
      ...(body !== undefined && { body: isRaw ? (body as string) : JSON.stringify(body) }),
      headers: { 'content-type': 'application/json' },
    });
    const text = await answer.text();
    answers.push(text, JSON.stringify([...answer.headers]));
    return { status: answer.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
  }

  async function created(): Promise<string> {
    const { status, body } = await ask('POST', '/sandboxes');
    expect(status).toBe(201);
    return (body as { id: string }).id;
  }

  test('creates, executes, deletes', async () => {
    const id = await created();
    const commands = `/sandboxes/${id}/commands`;
    expect(await ask('POST', commands, { command: 'echo out; echo err >&2' })).toEqual({
      status: 200,
      body: { stdout: 'out\n', stderr: 'err\n', exitCode: 0 },
    });
    expect(await ask('POST', commands, { command: 'exit 3' })).toMatchObject({
      status: 200,
      body: { exitCode: 3 },
    });
    const flood = await ask('POST', commands, { command: 'yes | head -c 5000000; echo end' });
    const { stdout } = flood.body as { stdout: string };
    expect(stdout.length).toBeLessThanOrEqual(256 * 1024);
    expect(stdout.endsWith('end\n')).toBe(true);
    expect(await ask('DELETE', `/sandboxes/${id}`)).toEqual({ status: 204, body: undefined });
    expect(await ask('DELETE', `/sandboxes/${id}`)).toMatchObject({ status: 404 });
    expect(await ask('POST', commands, { command: 'true' })).toMatchObject({
      status: 404,
      body: { error: 'sandbox_not_found' },
    });
  });

  test('answers 404 for what is not there', async () => {
    const command = { command: 'true' };
    for (const id of ['inotthereinotthereino', '..', '%2e%2e%2fsandboxes', 'a b', 'ä']) {
      const path = `/sandboxes/${id}/commands`;
      expect(await ask('POST', path, command), id).toMatchObject({ status: 404 });
    }
    expect(await ask('GET', '/')).toEqual({ status: 404, body: { error: 'route_not_found' } });
    expect(await ask('GET', '/sandboxes')).toMatchObject({ status: 404 });
  });

  test('answers 400 for what makes no sense', async () => {
    const id = await created();
    const path = `/sandboxes/${id}/commands`;
    expect(await ask('POST', path, '{"command":')).toEqual({ status: 400, body: { error: 'body_not_json' } });
    for (const body of ['null', '[]', '"ls"', '{}', '{"command":7}', '{"command":" "}']) {
      expect(await ask('POST', path, body), body).toEqual({
        status: 400,
        body: { error: 'command_missing' },
      });
    }
    await ask('DELETE', `/sandboxes/${id}`);
  });

  test('answers 413 for a body that is too large', async () => {
    const body = { command: `echo ${'x'.repeat(70_000)}` };
    expect(await ask('POST', '/sandboxes/any/commands', body)).toEqual({
      status: 413,
      body: { error: 'body_too_large' },
    });
  });

  test('knows only its own sandboxes', async () => {
    const { apiKey, apiUrl, sandboxUrl } = server;
    const foreign = await Sandbox.create({ apiKey, apiUrl, sandboxUrl, metadata: { service: 'another' } });
    const path = `/sandboxes/${foreign.sandboxId}`;
    expect(await ask('POST', `${path}/commands`, { command: 'true' })).toMatchObject({ status: 404 });
    expect(await ask('DELETE', path)).toMatchObject({ status: 404 });
    expect(await foreign.isRunning()).toBe(true);
    await foreign.kill();
  });

  test('answers 500, and no more, when the account does not work', async () => {
    const wrong = `e2b_${'5e'.repeat(20)}`;
    const broken = await start({ ...account, E2B_API_KEY: wrong });
    const answer = await fetch(`${broken.url}/sandboxes`, { method: 'POST' });
    const text = await answer.text();
    await expect.poll(() => broken.log()).toContain('AuthenticationError');
    await broken.close();
    expect(answer.status).toBe(500);
    expect(JSON.parse(text)).toEqual({ error: 'internal' });
    expect(broken.log()).not.toContain(wrong);
  });
});
