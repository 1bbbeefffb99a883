import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createSandboxDirectory, type SandboxAnswer } from '../../../src/broker/sandbox-directory.js';
import type { Credentials } from '../../../src/broker/settings.js';
import { SandboxNotFoundError } from '../../../src/errors.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});

afterEach(() => {
  vi.useRealTimers();
});

const sandbox: SandboxAnswer = { sandboxID: 'i1', envdVersion: '0.6.13', envdAccessToken: 'token' };
const gone = { code: 'sandbox_not_found' };

interface Asked {
  credentials: Credentials;
  /** The sandboxes that the control plane was asked for. */
  ids: string[];
  /** What it says from now on; undefined is that there is none. */
  told: object | undefined;
}

function controlPlane(told: object | undefined = sandbox, more: Partial<Credentials> = {}): Asked {
  const asked: Asked = {
    ids: [],
    told,
    credentials: {
      control: {
        async info(id: string) {
          asked.ids.push(id);
          if (!asked.told) throw new SandboxNotFoundError('gone', { statusCode: 404 });
          return asked.told;
        },
      },
      ...more,
    } as unknown as Credentials,
  };
  return asked;
}

describe('a sandbox that is looked for', () => {
  test('is asked for once, and again when five minutes have gone', async () => {
    const directory = createSandboxDirectory();
    const { credentials, ids } = controlPlane();
    for (let round = 0; round < 3; round++) {
      expect(await directory.find('i1', credentials)).toMatchObject({
        envdVersion: '0.6.13',
        endpoint: { baseUrl: 'https://49983-i1.e2b.app', headers: { 'x-access-token': 'token' } },
      });
    }
    expect(ids).toEqual(['i1']);
    vi.advanceTimersByTime(300_000);
    await directory.find('i1', credentials);
    expect(ids).toEqual(['i1', 'i1']);
  });

  test('is itself, whatever the control plane calls it', async () => {
    const { credentials } = controlPlane({ ...sandbox, sandboxID: 'i1-client' });
    const { endpoint } = await createSandboxDirectory().find('i1', credentials);
    expect(endpoint.headers['e2b-sandbox-id']).toBe('i1');
  });

  test('and is gone is not asked for again within five seconds', async () => {
    const directory = createSandboxDirectory();
    const asked = controlPlane();
    asked.told = undefined;
    for (let round = 0; round < 3; round++) {
      await expect(directory.find('i1', asked.credentials)).rejects.toMatchObject(gone);
    }
    expect(asked.ids).toEqual(['i1']);
    vi.advanceTimersByTime(5_000);
    await expect(directory.find('i1', asked.credentials)).rejects.toMatchObject(gone);
    expect(asked.ids).toEqual(['i1', 'i1']);
  });

  test('of which the control plane fails is asked for at once again', async () => {
    const directory = createSandboxDirectory();
    const asked = controlPlane();
    const broken = { ...asked.credentials, control: { info: () => Promise.reject(new Error('down')) } };
    await expect(directory.find('i1', broken as unknown as Credentials)).rejects.toMatchObject({
      code: 'upstream_unavailable',
    });
    expect(await directory.find('i1', asked.credentials)).toBeDefined();
  });
});

describe('a sandbox that is forgotten', () => {
  test('is asked for anew, if it was not just now', async () => {
    const directory = createSandboxDirectory();
    const { credentials, ids } = controlPlane();
    await directory.find('i1', credentials);
    directory.forget('i1');
    await directory.find('i1', credentials);
    // A page at a sandbox that refuses everything does not ask the control plane at each of its calls.
    expect(ids).toEqual(['i1']);
    vi.advanceTimersByTime(5_000);
    directory.forget('i1');
    await directory.find('i1', credentials);
    expect(ids).toEqual(['i1', 'i1']);
  });
});

describe('a sandbox of which nothing answers', () => {
  test.each([
    ['sleeps', { ...sandbox, state: 'paused' }, { code: 'sandbox_paused', statusCode: 409 }],
    ['runs', { ...sandbox, state: 'running' }, { code: 'service_busy', statusCode: 503, retryAfterMs: 1000 }],
    ['is gone', undefined, { code: 'sandbox_not_found' }],
  ])('and that %s is asked for once in five seconds', async (_name, told, expected) => {
    const directory = createSandboxDirectory();
    const asked = controlPlane();
    await directory.find('i1', asked.credentials);
    asked.told = told;
    const absence = () => directory.absence('i1', asked.credentials).catch((error: unknown) => error);
    for (let round = 0; round < 3; round++) expect(await absence()).toMatchObject(expected);
    expect(asked.ids).toEqual(['i1', 'i1']);
    vi.advanceTimersByTime(5_000);
    expect(await absence()).toMatchObject(expected);
    expect(asked.ids).toEqual(['i1', 'i1', 'i1']);
  });

  test('and that was just found to be gone is gone for this too, by the status of a way that leads nowhere', async () => {
    const directory = createSandboxDirectory();
    const asked = controlPlane();
    asked.told = undefined;
    await expect(directory.find('i1', asked.credentials)).rejects.toMatchObject(gone);
    expect(await directory.absence('i1', asked.credentials)).toMatchObject({ ...gone, statusCode: 502 });
    expect(asked.ids).toEqual(['i1']);
  });
});

describe('what the control plane says of a sandbox', () => {
  const remember = (answer: Partial<SandboxAnswer>, more: Partial<Credentials> = {}) =>
    createSandboxDirectory().remember({ ...sandbox, ...answer }, controlPlane(sandbox, more).credentials);

  test('is held to what can be part of a host’s name', () => {
    for (const answer of [{ sandboxID: 'i1.evil.test' }, { sandboxID: '' }, { domain: 'evil.test/' }]) {
      expect(() => remember(answer)).toThrow(expect.objectContaining({ code: 'upstream_unavailable' }));
    }
    expect(() => remember({}, { domain: 'evil.test/' })).toThrow();
  });

  test.each([
    [{}, {}, 'https://49983-i1.e2b.app'],
    [{ domain: null }, { domain: 'own.example' }, 'https://49983-i1.own.example'],
    [{ domain: '' }, { domain: 'own.example' }, 'https://49983-i1.own.example'],
    [{ domain: 'its.example' }, { domain: 'own.example' }, 'https://49983-i1.its.example'],
    [{ domain: 'its.example' }, { sandboxUrl: 'http://127.0.0.1:1' }, 'http://127.0.0.1:1'],
  ])('and what the broker was told is where it is: %j, %j', (answer, credentials, url) => {
    const { endpoint, portEndpoint } = remember(answer, credentials);
    expect(endpoint.baseUrl).toBe(url);
    const port = portEndpoint(3000);
    expect(port.baseUrl).toBe(url.replace('49983', '3000'));
    expect(port.headers).toEqual({ 'e2b-sandbox-id': 'i1', 'e2b-sandbox-port': '3000' });
  });

  test.each([null, undefined])('may be that it has no token: %s', (envdAccessToken) => {
    expect(remember({ envdAccessToken }).endpoint.headers).not.toHaveProperty('x-access-token');
  });

  test.each([
    [{}, false],
    [{ network: null }, false],
    [{ network: {} }, false],
    [{ network: { allowPublicTraffic: true } }, false],
    [{ network: { allowPublicTraffic: false } }, true],
    [{ trafficAccessToken: 'traffic' }, true],
    [{ trafficAccessToken: '' }, false],
  ])('is whether its ports are private: %j', (answer, isPrivate) => {
    expect(remember(answer).isPrivate).toBe(isPrivate);
  });

  test('of the token of its ports it says once, and that is remembered', async () => {
    const directory = createSandboxDirectory();
    const { credentials } = controlPlane();
    directory.remember({ ...sandbox, trafficAccessToken: 'traffic' }, credentials);
    for (const trafficAccessToken of [undefined, null]) {
      const known = directory.remember({ ...sandbox, trafficAccessToken }, credentials);
      expect(known).toMatchObject({ trafficToken: 'traffic', isPrivate: true });
    }
    expect(directory.remember({ ...sandbox, sandboxID: 'i2' }, credentials).trafficToken).toBeUndefined();
    expect((await directory.find('i1', credentials)).trafficToken).toBe('traffic');
  });
});
