import { afterEach, describe, expect, test, vi } from 'vitest';
import { AuthenticationError } from '../../../src/errors.js';
import { authorizeFetch } from '../../../src/transport/authorized-fetch.js';
import { SessionCredential } from '../../../src/transport/session-credential.js';
import type { SessionFunction } from '../../../src/transport/session-source.js';
import type { Session } from '../../../src/wire/session.js';
import { answerJson, serve, type TestServer } from '../support/serve.js';

let server: TestServer | undefined;

afterEach(async () => {
  vi.useRealTimers();
  await server?.close();
  server = undefined;
});

function session(token: string, over: Partial<Session> = {}): Session {
  const base = server?.url ?? 'http://127.0.0.1:1';
  return {
    token,
    expiresAt: Date.now() + 300_000,
    ttlMs: 300_000,
    sessionId: 's',
    sandboxId: 'i1',
    envdVersion: '0.6.13',
    urls: {
      envd: `${base}/envd/i1`,
      pty: `${base}/pty/i1`,
      refresh: `${base}/refresh`,
      session: `${base}/sessions/s`,
      sign: `${base}/files/sign`,
    },
    grant: {},
    ...over,
  };
}

/** Time goes on, by the wall clock alone. */
function pass(ms: number): void {
  vi.setSystemTime(Date.now() + ms);
}

function refusal(): AuthenticationError {
  return new AuthenticationError('no', { code: 'token_expired', statusCode: 401 });
}

/** A broker that refuses all, and remembers what it was shown. */
async function refusingBroker(status: number, code?: string, retryAfter?: string): Promise<string[]> {
  const shown: string[] = [];
  server = await serve((request, response) => {
    shown.push(String(request.headers.authorization));
    if (retryAfter) response.setHeader('retry-after', retryAfter);
    answerJson(response, status, { code, message: 'no' });
  });
  return shown;
}

/** A broker that gives out `t2`, `t3`, … and remembers what it was shown. */
async function refreshingBroker(): Promise<string[]> {
  const shown: string[] = [];
  server = await serve((request, response) => {
    shown.push(String(request.headers.authorization));
    answerJson(response, 200, session(`t${shown.length + 1}`));
  });
  return shown;
}

describe('a session credential', () => {
  test('keeps its token for its life, and then refreshes it once for all callers', async () => {
    const shown = await refreshingBroker();
    const credential = new SessionCredential(session('t1'), session('t1'));
    expect(await credential.token()).toBe('t1');
    pass(300_000);
    const waiting = [credential.token(), credential.token(), credential.token()];
    expect(await Promise.all(waiting)).toEqual(['t2', 't2', 't2']);
    expect(shown).toEqual(['Bearer t1']);
  });

  test('refreshes it when 80 % of its life is over, without making anybody wait', async () => {
    const shown = await refreshingBroker();
    const credential = new SessionCredential(session('t1'), session('t1'));
    pass(239_000);
    expect(await credential.token()).toBe('t1');
    pass(2_000);
    expect(await Promise.all([credential.token(), credential.token()])).toEqual(['t1', 't1']);
    await vi.waitFor(async () => expect(await credential.token()).toBe('t2'));
    expect(shown).toEqual(['Bearer t1']);
  });

  test('replaces a refused token, but not one that has been replaced meanwhile', async () => {
    const shown = await refreshingBroker();
    const credential = new SessionCredential(session('t1'), session('t1'));
    const refused = await credential.headers();
    await Promise.all([credential.renew(refused, refusal()), credential.renew(refused, refusal())]);
    await credential.renew(refused, refusal());
    expect(await credential.headers()).toEqual({ authorization: 'Bearer t2' });
    expect(shown).toEqual(['Bearer t1']);
  });

  test.each([-86_400_000, 86_400_000])(
    'a clock that is set by %i ms makes no token look fresh',
    async (ms) => {
      vi.useFakeTimers({ toFake: ['Date', 'performance'] });
      const shown = await refreshingBroker();
      const credential = new SessionCredential(session('t1'), session('t1'));
      vi.advanceTimersByTime(200_000);
      vi.setSystemTime(Date.now() + ms);
      vi.advanceTimersByTime(100_000);
      expect(await credential.token()).toBe('t2');
      expect(shown).toEqual(['Bearer t1']);
    },
  );

  test('counts the time for which the machine slept', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
    const shown = await refreshingBroker();
    const credential = new SessionCredential(session('t1'), session('t1'));
    pass(3_600_000);
    expect(await credential.token()).toBe('t2');
    expect(shown).toEqual(['Bearer t1']);
  });

  test('holds no call up for longer than the call may take', async () => {
    server = await serve(() => undefined);
    const credential = new SessionCredential(session('t1'), session('t1'));
    pass(300_000);
    const reason = new Error('enough');
    const send = authorizeFetch(credential, async () => expect.unreachable());
    await expect(send(server.url, { signal: AbortSignal.abort(reason) }, 'rpc')).rejects.toBe(reason);
    const controller = new AbortController();
    const call = send(server.url, { signal: controller.signal }, 'rpc');
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
  });
});

describe('a session that the broker does not refresh', () => {
  test('is asked for again from its function, naming the sandbox', async () => {
    await refusingBroker(401, 'unauthenticated');
    const source = vi.fn<SessionFunction>(() => session('t2'));
    const credential = new SessionCredential(session('t1'), source);
    await credential.renew(await credential.headers(), refusal());
    expect(source.mock.calls).toEqual([[{ reason: 'renew', sandboxId: 'i1' }]]);
    expect(await credential.token()).toBe('t2');
  });

  test('is not replaced by one for another sandbox', async () => {
    await refusingBroker(401, 'session_expired');
    const credential = new SessionCredential(session('t1'), () => session('t2', { sandboxId: 'i2' }));
    await expect(credential.renewedToken('t1')).rejects.toMatchObject({
      name: 'AuthenticationError',
      code: 'session_refused',
    });
  });

  test.each([null, 'token', {}, { direct: {} }])('is not replaced by %j', async (rubbish) => {
    await refusingBroker(401, 'session_expired');
    const credential = new SessionCredential(session('t1'), (() => rubbish) as unknown as SessionFunction);
    await expect(credential.renewedToken('t1')).rejects.toMatchObject({ code: 'invalid_session' });
  });

  test('is over for good where it was given as a value', async () => {
    const shown = await refusingBroker(403, 'session_refused');
    const onEnd = vi.fn();
    const credential = new SessionCredential(session('t1'), session('t1'), {}, onEnd);
    const expired = { name: 'AuthenticationError', code: 'session_expired' };
    await expect(credential.renewedToken('t1')).rejects.toMatchObject(expired);
    await expect(credential.token()).rejects.toMatchObject(expired);
    expect(onEnd.mock.calls).toEqual([[expect.objectContaining(expired)]]);
    expect(shown).toHaveLength(1);
  });

  test('is asked for again when its function failed, and calls are told of what they can make of it', async () => {
    await refusingBroker(401, 'session_expired');
    const down = new TypeError('Failed to fetch');
    const answers = [() => Promise.reject(down), () => session('t2')];
    const credential = new SessionCredential(
      session('t1'),
      () => answers.shift()?.() ?? expect.unreachable(),
    );
    await expect(credential.renewedToken('t1')).rejects.toMatchObject({
      name: 'ConnectionError',
      code: 'session_unavailable',
      cause: down,
      retryable: true,
      uncertain: false,
    });
    expect(await credential.renewedToken('t1')).toBe('t2');
  });

  test('is not waited for without end when its function hangs', async () => {
    const answers = [new Promise<never>(() => undefined), session('t2')];
    const credential = new SessionCredential(session('t1'), () => answers.shift() ?? expect.unreachable(), {
      fetch: async () => Response.json({ code: 'session_expired' }, { status: 401 }),
    });
    vi.useFakeTimers();
    const failure = expect(credential.renewedToken('t1')).rejects.toMatchObject({
      code: 'session_unavailable',
    });
    await vi.advanceTimersByTimeAsync(30_000);
    await failure;
    expect(await credential.renewedToken('t1')).toBe('t2');
  });
});

describe('a broker in trouble', () => {
  test('is no reason to fail while the token has some life', async () => {
    const credential = new SessionCredential(session('t1'), session('t1'));
    pass(250_000);
    expect(await credential.token()).toBe('t1');
    pass(60_000);
    await expect(credential.token()).rejects.toMatchObject({
      name: 'ConnectionError',
      code: 'connection_failed',
      uncertain: false,
      retryable: true,
    });
  });

  test.each([429, 500, 502, 503, 504])(
    'that answers %i may be asked again, and is not asked by each call',
    async (status) => {
      const shown = await refusingBroker(status);
      const credential = new SessionCredential(session('t1'), session('t1'));
      pass(250_000);
      for (let call = 0; call < 5; call++) expect(await credential.token()).toBe('t1');
      await vi.waitFor(() => expect(shown).toHaveLength(1));
      await credential.renewedToken('t1').catch(() => undefined);
      for (let call = 0; call < 5; call++) expect(await credential.token()).toBe('t1');
      pass(16_000);
      const seen = shown.length;
      await credential.token();
      await vi.waitFor(() => expect(shown).toHaveLength(seen + 1));
      pass(60_000);
      await expect(credential.token()).rejects.toMatchObject({
        statusCode: status,
        retryable: true,
        uncertain: false,
      });
    },
  );

  test('is left alone for as long as it says', async () => {
    const shown = await refusingBroker(429, 'rate_limited', '40');
    const credential = new SessionCredential(session('t1'), session('t1'));
    pass(245_000);
    await credential.renewedToken('t1').catch(() => undefined);
    pass(30_000);
    await credential.token();
    expect(shown).toHaveLength(1);
    pass(11_000);
    await credential.token();
    await vi.waitFor(() => expect(shown).toHaveLength(2));
  });
});

describe('while something is under way', () => {
  test('a timer keeps the session fresh, and stops with it', async () => {
    vi.useFakeTimers();
    let refreshes = 0;
    const credential = new SessionCredential(session('t1'), session('t1'), {
      fetch: async () => Response.json(session(`t${++refreshes + 1}`)),
    });
    const told = vi.fn();
    const detach = [credential.attach(() => undefined, told), credential.attach(() => undefined)];
    await vi.advanceTimersByTimeAsync(240_000);
    expect(refreshes).toBe(1);
    await vi.advanceTimersByTimeAsync(480_000);
    expect(refreshes).toBe(3);
    detach[0]?.();
    await vi.advanceTimersByTimeAsync(240_000);
    expect(refreshes).toBe(4);
    expect(told.mock.calls).toEqual([['t2'], ['t3'], ['t4']]);
    detach[1]?.();
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(refreshes).toBe(4);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a broker in trouble is asked again and again, until it answers', async () => {
    vi.useFakeTimers();
    const statuses = [503, 503, 200];
    const asked: number[] = [];
    const credential = new SessionCredential(session('t1'), session('t1'), {
      fetch: async () => {
        asked.push(performance.now());
        return Response.json(session('t2'), { status: statuses.shift() ?? 200 });
      },
    });
    const began = performance.now();
    credential.attach(() => undefined);
    await vi.advanceTimersByTimeAsync(280_000);
    expect(asked.map((at) => at - began)).toEqual([240_000, 255_000, 270_000]);
    expect(await credential.token()).toBe('t2');
  });

  test('a function that fails for good is not asked by the timer', async () => {
    vi.useFakeTimers();
    const source = vi.fn<SessionFunction>(() => Promise.reject(new AuthenticationError('sign in')));
    const credential = new SessionCredential(session('t1'), source, {
      fetch: async () => Response.json({ code: 'session_expired' }, { status: 401 }),
    });
    credential.attach(() => undefined);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(source).toHaveBeenCalledTimes(1);
    await expect(credential.token()).rejects.toMatchObject({ message: 'sign in' });
    expect(source).toHaveBeenCalledTimes(2);
  });
});

describe('a revoked session', () => {
  test.each(['refresh', 'call'])('is over for all, once and for good: told by a %s', async (by) => {
    const shown = await refusingBroker(401, 'session_revoked');
    const source = vi.fn<SessionFunction>(() => session('t2'));
    const onEnd = vi.fn();
    const credential = new SessionCredential(session('t1'), source, {}, onEnd);
    const ends = [vi.fn(), vi.fn(), vi.fn()] as const;
    credential.attach(ends[0]);
    credential.attach(ends[1]);
    credential.attach(ends[2])();
    const revoked = { name: 'AuthenticationError', code: 'session_revoked' };
    const send = authorizeFetch(credential);
    const call =
      by === 'call' ? send(`${server?.url}/envd`, { method: 'POST' }, 'rpc') : credential.renewedToken('t1');
    await expect(call).rejects.toMatchObject(revoked);
    await expect(credential.token()).rejects.toMatchObject(revoked);
    await expect(credential.headers()).rejects.toMatchObject(revoked);
    await expect(credential.renewedToken('t1')).rejects.toMatchObject(revoked);
    const late = vi.fn();
    credential.attach(late);
    for (const end of [ends[0], ends[1], late]) {
      expect(end.mock.calls).toEqual([[expect.objectContaining(revoked)]]);
    }
    expect(ends[2]).not.toHaveBeenCalled();
    expect(onEnd.mock.calls).toEqual([[expect.objectContaining(revoked)]]);
    expect(shown).toHaveLength(1);
    expect(source).not.toHaveBeenCalled();
  });

  test('is not brought back by a refresh that was under way', async () => {
    let answer: (response: Response) => void = () => undefined;
    const credential = new SessionCredential(session('t1'), session('t1'), {
      fetch: () => new Promise((resolve) => (answer = resolve)),
    });
    const token = credential.renewedToken('t1');
    await vi.waitFor(() => expect(answer).toHaveLength(1));
    credential.end(new AuthenticationError('ended', { code: 'session_revoked' }));
    answer(Response.json(session('t2')));
    await expect(token).rejects.toMatchObject({ code: 'session_revoked' });
  });

  test('a listener that fails is told to the logger', async () => {
    const warn = vi.fn();
    const failure = new Error('of the page');
    const credential = new SessionCredential(session('t1'), session('t1'), { logger: { warn } }, () => {
      throw failure;
    });
    credential.end(new AuthenticationError('ended', { code: 'session_revoked' }));
    await vi.waitFor(() =>
      expect(warn).toHaveBeenCalledWith(expect.stringContaining('onSessionEnd'), failure),
    );
  });
});
