import type { SandboxCreateOptions } from 'e2b-edge';
import { equal, ok, rejects } from './assert.js';
import type { Context, Suite } from './case.js';

/** Creations whose answer is lost. What counts is how many sandboxes there are afterwards. */
export const lifecycleLosses: Suite = {
  name: 'lifecycle: lost answers',
  cases: [
    {
      name: 'a sandbox whose answer was lost is taken up',
      via: 'key',
      needs: ['keyed-creates'],
      run: async (context) => {
        const lossy = lossyCreation(context, 'answer');
        const sandbox = await context.create({ ...lossy.options, envs: { A: 'b' }, timeoutMs: 120_000 });
        equal((await sandbox.commands.run('printf %s "$A"')).stdout, 'b', 'a command');
        equal((await sandbox.getInfo()).metadata, lossy.options.metadata, 'metadata');
        await lossy.settled();
        equal(await lossy.sandboxes(), [sandbox.sandboxId], 'sandboxes');
      },
    },
    {
      name: 'one whose request was lost is created again',
      via: 'key',
      needs: ['keyed-creates'],
      run: async (context) => {
        const lossy = lossyCreation(context, 'request');
        const sandbox = await context.create(lossy.options);
        equal(await sandbox.isRunning(), true, 'isRunning');
        equal(await lossy.sandboxes(), [sandbox.sandboxId], 'sandboxes');
      },
    },
    {
      name: 'what a request makes that arrives late is killed',
      via: 'key',
      needs: ['keyed-creates'],
      run: async (context) => {
        const lossy = lossyCreation(context, 'late');
        const sandbox = await context.create(lossy.options);
        await lossy.settled();
        equal(await lossy.sandboxes(), [sandbox.sandboxId], 'sandboxes');
        equal(await sandbox.isRunning(), true, 'isRunning');
      },
    },
    {
      name: 'what an aborted create made is killed',
      via: 'key',
      run: async (context) => {
        const lossy = lossyCreation(context, 'silence');
        const abort = new AbortController();
        const creation = context.create({ ...lossy.options, signal: abort.signal });
        const reason = new Error('not needed any more');
        creation.catch(() => undefined);
        await lossy.made();
        abort.abort(reason);
        equal(await creation.catch((error: unknown) => error === reason), true, 'rejects with the reason');
        equal(await lossy.settled(), 1, 'works in the background');
        equal(await lossy.sandboxes(), [], 'sandboxes');
      },
    },
    {
      name: 'what a create made that ran out of time is killed',
      via: 'key',
      run: async (context) => {
        const lossy = lossyCreation(context, 'silence');
        const error = await rejects(
          context.create({ ...lossy.options, requestTimeoutMs: 1_000 }),
          context.edge.TimeoutError,
          'request_timeout',
        );
        ok(error.message.includes('requestTimeoutMs'), error.message);
        equal(await lossy.settled(), 1, 'works in the background');
        equal(await lossy.sandboxes(), [], 'sandboxes');
      },
    },
    {
      name: 'with a key of its own, what an aborted create made is taken up by the next',
      via: 'key',
      run: async (context) => {
        const lossy = lossyCreation(context, 'silence');
        const idempotencyKey = crypto.randomUUID();
        const abort = new AbortController();
        const first = context.create({ ...lossy.options, idempotencyKey, signal: abort.signal });
        first.catch(() => undefined);
        await lossy.made();
        const [made] = await lossy.sandboxes();
        abort.abort();
        const sandbox = await context.create({ ...lossy.options, idempotencyKey });
        equal(sandbox.sandboxId, made, 'sandboxId');
        equal(await lossy.settled(), 0, 'works in the background');
        equal(await lossy.sandboxes(), [made], 'sandboxes');
      },
    },
    {
      name: 'creates with one key at once give one sandbox, and another one once it has ended',
      via: 'key',
      needs: ['keyed-creates'],
      run: async (context) => {
        const options = { metadata: { mark: crypto.randomUUID() }, idempotencyKey: crypto.randomUUID() };
        const all = await Promise.all(Array.from({ length: 4 }, () => context.create(options)));
        const [sandbox] = all;
        equal(new Set(all.map(({ sandboxId }) => sandboxId)).size, 1, 'sandboxes');
        await sandbox?.kill();
        const next = await context.create(options);
        equal(next.sandboxId === sandbox?.sandboxId, false, 'the one that has ended');
        equal(await next.isRunning(), true, 'isRunning');
      },
    },
    {
      name: 'through a broker: a sandbox whose answer was lost is taken up, and a page does not see its mark',
      via: 'session',
      run: async (context) => {
        const lossy = lossyCreation(context, 'answer');
        const { metadata } = lossy.options;
        const session = await context.session(context.env.lossy, {
          headers: { authorization: `Bearer ${metadata.mark}`, 'x-metadata': JSON.stringify(metadata) },
        });
        equal(await lossy.sandboxes(), [session.sandboxId], 'sandboxes');
        const described = await fetch(session.urls.session, {
          headers: { authorization: `Bearer ${session.token}` },
        });
        const text = await described.text();
        ok(text.includes(session.sandboxId), text);
        ok(!text.includes('e2b-edge-create'), text);
      },
    },
    {
      name: 'through a broker: what was made for a page that has left is killed',
      via: 'session',
      run: async (context) => {
        const lossy = lossyCreation(context, 'silence');
        const { metadata } = lossy.options;
        const page = new AbortController();
        const session = context.session(context.env.lossy, {
          headers: { authorization: `Bearer ${metadata.mark}`, 'x-metadata': JSON.stringify(metadata) },
          signal: page.signal,
        });
        session.catch(() => undefined);
        await lossy.made();
        page.abort();
        await lossy.gone();
      },
    },
    {
      name: 'without a key nothing is marked, looked for or killed, and the error says that it is unknown',
      via: 'key',
      run: async (context) => {
        const lossy = lossyCreation(context, 'every-answer');
        const error = await rejects(
          context.create({ ...lossy.options, idempotencyKey: false }),
          context.edge.ConnectionError,
        );
        equal(error.uncertain, true, 'uncertain');
        equal(await lossy.settled(), 0, 'works in the background');
        const left = await lossy.sandboxes();
        ok(left.length > 0, 'it was made');
        for (const id of left) equal(await context.edge.Sandbox.kill(id, context.key), true, 'kill');
      },
    },
    {
      name: 'a create that was aborted before sends nothing',
      via: 'key',
      run: async (context) => {
        const lossy = lossyCreation(context, 'silence');
        const signal = AbortSignal.abort(new Error('too late'));
        const error = await context.create({ ...lossy.options, signal }).catch((reason: unknown) => reason);
        equal((error as Error).message, 'too late', 'rejects with the reason');
        equal(await lossy.settled(), 0, 'works in the background');
        equal(await lossy.sandboxes(), [], 'sandboxes');
      },
    },
  ],
};

interface LossyCreation {
  options: SandboxCreateOptions & { metadata: Record<string, string> };
  /** The ids of what there is. */
  sandboxes(): Promise<string[]>;
  /** Waits until there is one. */
  made(): Promise<void>;
  /** Waits until there is none. */
  gone(): Promise<void>;
  /** Waits for what goes on in the background; how much that was. */
  settled(): Promise<number>;
}

function lossyCreation({ edge, env, key }: Context, lose: string): LossyCreation {
  const mark = crypto.randomUUID();
  const works: Promise<void>[] = [];
  const sandboxes = async (): Promise<string[]> => {
    const ids: string[] = [];
    for await (const { sandboxId } of edge.Sandbox.list({ ...key, query: { metadata: { mark } } })) {
      ids.push(sandboxId);
    }
    return ids;
  };
  return {
    options: {
      apiUrl: env.lossy.apiUrl,
      metadata: { mark, lose },
      waitUntil: (work) => void works.push(work),
    },
    sandboxes,
    made: () => until(async () => (await sandboxes()).length > 0),
    gone: () => until(async () => (await sandboxes()).length === 0),
    settled: async () => {
      await Promise.all(works);
      return works.length;
    },
  };
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((next) => setTimeout(next, 20));
}
