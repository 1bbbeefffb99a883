import { equal, ok, rejects, until } from './assert.js';
import type { Context, Suite } from './case.js';

/** Makes sandboxes that can be counted from outside. */
function marked({ create, edge, key }: Context) {
  const mark = crypto.randomUUID();
  return {
    create: () => create({ metadata: { mark } }),
    count: async () => {
      const query = { metadata: { mark } };
      return (await edge.Sandbox.list({ ...key, query }).nextItems()).length;
    },
  };
}

export const pool: Suite = {
  name: 'pool',
  cases: [
    {
      name: 'holds warm sandboxes ready, gives each to one caller, and leaves none behind',
      via: 'key',
      async run(context) {
        const fleet = marked(context);
        const pool = context.edge.createSandboxPool({ create: fleet.create, min: 2, max: 4 });
        await until(() => pool.stats.idle === 2, 'two are warm');
        equal(await fleet.count(), 2, 'running before anybody asks');
        const leases = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()]);
        const ids = leases.map(({ sandbox }) => sandbox.sandboxId);
        equal(new Set(ids).size, 3, 'different sandboxes');
        const { stdout } = await leases[0]!.sandbox.commands.run('echo warm');
        equal(stdout, 'warm\n', 'a command');
        await leases[0]!.release();
        equal(await leases[0]!.sandbox.isRunning(), false, 'the used one runs');
        await Promise.all([pool.drain(), leases[1]!.release(), leases[2]!.discard()]);
        equal(await fleet.count(), 0, 'running after drain');
        await rejects(pool.acquire(), context.errors.SandboxError, 'pool_closed');
      },
    },
    {
      name: 'ends with its block',
      via: 'key',
      async run(context) {
        const fleet = marked(context);
        const pool = context.edge.createSandboxPool({ create: fleet.create, min: 2 });
        await until(() => pool.stats.idle === 2, 'two are warm');
        await pool[Symbol.asyncDispose]();
        equal(await fleet.count(), 0, 'running after it');
      },
    },
    {
      name: 'never runs more than max, whatever is asked of it',
      via: 'key',
      async run(context) {
        const fleet = marked(context);
        const pool = context.edge.createSandboxPool({ create: fleet.create, min: 0, max: 2 });
        const counts: number[] = [];
        const numbers = Array.from({ length: 6 }, (_, number) => number);
        const outputs = await Promise.all(
          numbers.map((number) =>
            pool.use(async (sandbox) => {
              counts.push(await fleet.count());
              return (await sandbox.commands.run(`echo ${number}`)).stdout;
            }),
          ),
        );
        equal(
          outputs,
          numbers.map((number) => `${number}\n`),
          'the outputs',
        );
        ok(Math.max(...counts) <= 2, `there were ${counts.join(', ')}`);
        await pool.drain();
      },
    },
    {
      name: 'replaces a warm sandbox that ended unseen',
      via: 'key',
      async run(context) {
        const fleet = marked(context);
        const made: string[] = [];
        const create = async () => {
          const sandbox = await fleet.create();
          made.push(sandbox.sandboxId);
          return sandbox;
        };
        const { edge, key } = context;
        const pool = edge.createSandboxPool({ create, min: 1, max: 1 });
        await until(() => pool.stats.idle === 1, 'one is warm');
        await edge.Sandbox.kill(made[0]!, key);
        const { sandbox } = await pool.acquire();
        equal(sandbox.sandboxId, made[1]!, 'sandboxId');
        equal(await sandbox.isRunning(), true, 'it runs');
        await pool.close();
        equal(await fleet.count(), 0, 'running after close');
      },
    },
    {
      name: 'hands the same sandbox out again after a reset, and not when that failed',
      via: 'key',
      async run(context) {
        const fleet = marked(context);
        const pool = context.edge.createSandboxPool({
          create: fleet.create,
          min: 0,
          max: 1,
          reset: (sandbox) => sandbox.commands.run('test ! -e broken && rm -rf left'),
        });
        const first = await pool.use(async (sandbox) => {
          await sandbox.files.write('left', 'by the first');
          return sandbox.sandboxId;
        });
        const second = await pool.use(async (sandbox) => {
          equal(await sandbox.files.exists('left'), false, 'what the first left');
          await sandbox.files.write('broken', '');
          return sandbox.sandboxId;
        });
        equal(second, first, 'sandboxId after a reset');
        const third = await pool.use(({ sandboxId }) => sandboxId);
        ok(third !== first, 'it was handed out although its reset failed');
        await pool.drain();
        equal(await fleet.count(), 0, 'running after drain');
      },
    },
    {
      name: 'keeps a warm sandbox alive beyond the time that it was created with',
      via: 'key',
      async run({ create, edge }) {
        const made: string[] = [];
        const pool = edge.createSandboxPool({
          create: async () => {
            const sandbox = await create({ timeoutMs: 4_000 });
            made.push(sandbox.sandboxId);
            return sandbox;
          },
          min: 1,
          max: 1,
        });
        await until(() => pool.stats.idle === 1, 'one is warm');
        const idleUntil = Date.now() + 6_000;
        await until(() => Date.now() > idleUntil, 'its first life is over');
        const { sandbox } = await pool.acquire();
        equal(made, [sandbox.sandboxId], 'there never was another');
        equal((await sandbox.commands.run('echo alive')).stdout, 'alive\n', 'a command');
        await pool.close();
      },
    },
    {
      name: 'says why it has no sandboxes',
      via: 'key',
      async run({ edge, errors, key }) {
        const create = () => edge.Sandbox.create({ ...key, apiKey: `e2b_${'0'.repeat(40)}` });
        const pool = edge.createSandboxPool({ create });
        const error = await rejects(pool.acquire(), errors.SandboxError, 'pool_create_failed');
        ok(error.cause instanceof errors.AuthenticationError, `the cause is ${String(error.cause)}`);
        await pool.close();
      },
    },
    {
      name: 'maps items over sandboxes, so many at a time, in order',
      via: 'key',
      async run(context) {
        const fleet = marked(context);
        const counts: number[] = [];
        const outputs = await context.edge.mapConcurrent([3, 1, 2], { concurrency: 2 }, async (item) => {
          const sandbox = await fleet.create();
          counts.push(await fleet.count());
          const { stdout } = await sandbox.commands.run(`echo ${item}`);
          await sandbox.kill();
          return stdout;
        });
        equal(outputs, ['3\n', '1\n', '2\n'], 'the outputs');
        ok(Math.max(...counts) <= 2, `there were ${counts.join(', ')}`);
      },
    },
  ],
};
