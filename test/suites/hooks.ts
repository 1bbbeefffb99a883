import { equal, ok } from './assert.js';
import type { Context, Suite } from './case.js';

type Options = NonNullable<Parameters<Context['sandbox']>[1]>;

const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

export const hooks: Suite = {
  name: 'hooks',
  cases: [
    {
      name: 'tell of each request, answer, retry and failure of a call',
      async run({ sandbox, env, observer }) {
        const told: string[] = [];
        const ids = new Set<string>();
        const note = (what: string) => (event: { operation: string; callId: string; attempt: number }) => {
          if (event.operation !== 'commands.list') return;
          told.push(`${what} ${event.attempt}`);
          ids.add(event.callId);
        };
        const { sandboxId, commands } = await sandbox(env.observed, {
          retries: 1,
          onRequest: note('request'),
          onResponse: note('response'),
          onRetry: note('retry'),
          onError: note('error'),
        });
        await observer.refuse(sandboxId, '/process.Process/List', 3, 503);
        await commands.list().catch(() => undefined);
        equal(
          told,
          ['request 1', 'response 1', 'retry 1', 'request 2', 'response 2', 'error 2'],
          'a call that failed',
        );
        equal(ids.size, 1, 'ids of the call');
        told.length = 0;
        await commands.list();
        equal(told, ['request 1', 'response 1', 'retry 1', 'request 2', 'response 2'], 'a call that did not');
        equal(ids.size, 2, 'ids of both');
      },
    },
    {
      name: 'see no credential, and add headers',
      async run({ sandbox, env, via }) {
        const seen: unknown[] = [];
        const sent = new Set<string>();
        const options: Options = {
          traceparent: trace,
          onRequest: (event) => {
            const { headers, ...rest } = event;
            seen.push(rest, [...headers]);
            ok(Object.isFrozen(event), 'the event is frozen');
            headers.set('tracestate', 'vendor=1');
            headers.set('authorization', 'Bearer mine');
          },
          onResponse: (event) => {
            seen.push(event);
          },
          fetch: (url, init) => {
            const headers = new Headers(init.headers);
            for (const name of ['traceparent', 'tracestate', 'authorization'])
              sent.add(`${name}: ${headers.get(name)}`);
            return fetch(url, init);
          },
        };
        const { commands, files } = await sandbox(env, via === 'key' ? { ...options, headers: {} } : options);
        await files.write('secret-name.txt', 'x');
        await commands.run('true', via === 'key' ? { user: 'root' } : {});
        const text = JSON.stringify(seen);
        ok(text.includes('commands.run') && text.includes('files.write'), `the calls are told: ${text}`);
        ok(text.includes(trace), 'the traceparent is shown');
        ok(!/e2b_|bearer|secret-name/i.test(text), `a credential or a path is shown: ${text}`);
        ok(sent.has(`traceparent: ${trace}`) && sent.has('tracestate: vendor=1'), 'what was added is sent');
        if (via === 'session') ok(!sent.has('authorization: Bearer mine'), 'the credential is not replaced');
        else ok(sent.has('authorization: Basic cm9vdDo='), 'what the call itself says is not replaced');
      },
    },
    {
      name: 'that throw or reject are logged, and the call goes on',
      async run({ sandbox, env, observer }) {
        const warned: string[] = [];
        const fail = () => {
          throw new Error('the hook is broken');
        };
        const { sandboxId, commands } = await sandbox(env.observed, {
          onRequest: async () => fail(),
          onResponse: fail,
          onRetry: async () => fail(),
          onError: fail,
          traceparent: fail,
          logger: { warn: (message) => warned.push(String(message)) },
        });
        await observer.refuse(sandboxId, '/process.Process/List', 1, 503);
        equal(await commands.list(), [], 'processes');
        for (const name of ['onRequest', 'onResponse', 'onRetry', 'traceparent']) {
          ok(
            warned.some((message) => message.includes(name)),
            `a warning of ${name}: ${warned.join('; ')}`,
          );
        }
      },
    },
    {
      name: 'headers of the options go with every request',
      via: 'key',
      async run({ edge, key, create, runtime }) {
        // The local server's control plane allows a page no headers of its own, as that of E2B does not.
        if (runtime === 'chromium') return;
        const seen = new Map<string, string | null>();
        const sandbox = await create({
          headers: { 'x-own': 'all' },
          apiHeaders: { 'x-api': 'control' },
          fetch: (url, init) => {
            const headers = new Headers(init.headers);
            seen.set(new URL(url).pathname, `${headers.get('x-own')} ${headers.get('x-api')}`);
            return fetch(url, init);
          },
        });
        await sandbox.commands.list();
        equal(seen.get('/v2/sandboxes'), 'all control', 'create');
        equal(seen.get('/process.Process/List'), 'all null', 'list');
        await edge.Sandbox.kill(sandbox.sandboxId, key);
      },
    },
  ],
};
