import { equal, rejects, until } from './assert.js';
import type { Suite } from './case.js';

const start = '/process.Process/Start';
const sendInput = '/process.Process/SendInput';

/** Some runtimes send a POST again by themselves when a connection that was used before closes without an answer. */
export const sessionsRepeated: Suite = {
  name: 'requests whose answer is lost on the way from the broker',
  cases: [
    {
      name: 'start a command once, and it is said that it may have run',
      via: 'session',
      async run({ session, connect, env, observer, errors }) {
        const sandbox = await connect(await session(env.fronted));
        const { sandboxId, commands, files } = sandbox;
        // So that there is a connection which was used before.
        await files.list('.');
        await observer.swallow(sandboxId, start, 1);
        const error = await rejects(commands.run('echo x >> count'), errors.ConnectionError);
        equal([error.uncertain, error.retryable], [true, false], 'uncertain, retryable');
        await until(() => files.exists('count'), 'the command has run');
        equal((await commands.run('sleep 0.5; cat count')).stdout, 'x\n', 'what the command left');
      },
    },
    {
      name: 'change a name once, and it is said that it may be changed',
      via: 'session',
      async run({ session, connect, env, observer, errors }) {
        const { sandboxId, files } = await connect(await session(env.fronted));
        await files.write('old', 'x');
        await observer.swallow(sandboxId, '/filesystem.Filesystem/Move', 1);
        const error = await rejects(files.rename('old', 'new'), errors.ConnectionError);
        equal([error.uncertain, error.retryable], [true, false], 'uncertain, retryable');
        equal(await files.exists('new'), true, 'it was renamed');
      },
    },
    {
      name: 'give input once, and it is said that it may have been taken',
      via: 'session',
      async run({ session, connect, env, observer, errors }) {
        const { sandboxId, commands } = await connect(await session(env.fronted));
        const cat = await commands.run('cat', { background: true, stdin: true });
        await observer.swallow(sandboxId, sendInput, 1);
        await rejects(cat.sendStdin('once'), errors.ConnectionError, 'input_uncertain');
        await cat.closeStdin();
        equal((await cat.wait()).stdout, 'once', 'what arrived');
      },
    },
  ],
};
