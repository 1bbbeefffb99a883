import { equal, ok, rejects, until } from './assert.js';
import type { Context, Suite } from './case.js';

const start = '/process.Process/Start';
const connect = '/process.Process/Connect';

type Command = Awaited<ReturnType<Awaited<ReturnType<Context['sandbox']>>['commands']['connect']>>;

/** Cuts the stream that a command is read by, once it has printed. */
async function cut({ observer }: Context, sandboxId: string, command: Command, path = start): Promise<void> {
  await until(() => command.stdout.includes('begin'), 'the first output');
  await observer.cut(sandboxId, path);
}

/** Waits until a command is listened to again. */
async function back({ observer }: Context, sandboxId: string): Promise<void> {
  await until(async () => (await observer.open(sandboxId, connect)) === 1, 'the new stream');
}

/** Prints, waits for a file, prints again, and ends with 3. */
const waiting = 'echo begin; while [ ! -e go ]; do sleep 0.02; done; echo end; exit 3';

export const commandsReconnect: Suite = {
  name: 'commands whose stream is lost',
  cases: [
    {
      name: 'are come back to: their end is known, and the gap is declared',
      async run(context) {
        const { commands, files, sandboxId } = await context.sandbox(context.env.observed);
        const heard: string[] = [];
        const command = await commands.run(waiting, {
          background: true,
          onStdout: (text) => void heard.push(text),
        });
        const seen: string[] = [];
        const loop = (async () => {
          for await (const event of command) seen.push('data' in event ? event.data : event.type);
        })();
        await cut(context, sandboxId, command);
        await back(context, sandboxId);
        await files.write('go', '');
        const result = await command.finished();
        await loop;
        equal([result.exitCode, result.gaps, command.gaps], [3, 1, 1], 'exit code, gaps');
        equal(result.stdout, 'begin\nend\n', 'stdout');
        equal(heard.join(''), 'begin\nend\n', 'what the callback heard');
        equal(seen, ['begin\n', 'gap', 'end\n', 'exit'], 'events');
        const late: string[] = [];
        for await (const event of command) late.push('data' in event ? event.data : event.type);
        equal(late, seen, 'events of a loop that comes late');
      },
    },
    {
      name: 'are come back to again and again',
      async run(context) {
        const { commands, files, sandboxId } = await context.sandbox(context.env.observed);
        const command = await commands.run(waiting, { background: true });
        await cut(context, sandboxId, command);
        for (let round = 1; round <= 3; round++) {
          await back(context, sandboxId);
          await until(() => command.gaps === round, `gap ${round}`);
          await context.observer.cut(sandboxId, connect);
        }
        await until(() => command.gaps === 4, 'gap 4');
        await files.write('go', '');
        equal((await command.finished()).gaps, 4, 'gaps');
      },
    },
    {
      name: 'tell how they ended while nobody listened',
      // A broker asks for the list first, in which the ended are not.
      via: 'key',
      async run(context) {
        const { commands, sandboxId } = await context.sandbox(context.env.observed);
        const command = await commands.run('echo begin; read line; exit 5', {
          background: true,
          stdin: true,
        });
        await until(() => command.stdout.includes('begin'), 'the first output');
        // The end is written to a stream that is cut in the same moment.
        await Promise.all([context.observer.cut(sandboxId, start), command.sendStdin('go\n')]);
        equal((await command.finished()).exitCode, 5, 'exit code');
      },
    },
    {
      name: 'are left at that where it is wished so, and where they are waited for',
      async run(context) {
        const { errors } = context;
        const { commands, sandboxId } = await context.sandbox(context.env.observed);
        const command = await commands.run('echo begin; sleep 30', { background: true, reconnectMs: 0 });
        await cut(context, sandboxId, command);
        await rejects(command.finished(), errors.ConnectionError, 'connection_lost');
        equal(await context.observer.open(sandboxId, connect), 0, 'new streams');
        const running = commands.run('echo begin; sleep 30', {
          onStdout: () => context.observer.cut(sandboxId, start),
        });
        await rejects(running, errors.ConnectionError, 'connection_lost');
      },
    },
    {
      name: 'that were connected to by pid are come back to as well',
      async run(context) {
        const { commands, files, sandboxId } = await context.sandbox(context.env.observed);
        const first = await commands.run(`read line; ${waiting}`, { background: true, stdin: true });
        const command = await commands.connect(first.pid);
        await first.disconnect();
        await command.sendStdin('\n');
        await cut(context, sandboxId, command, connect);
        await until(() => command.gaps === 1, 'the gap');
        await files.write('go', '');
        equal((await command.finished()).exitCode, 3, 'exit code');
      },
    },
    {
      name: 'are killed all the same when their time is over, and it is called that',
      async run(context) {
        const { commands, sandboxId } = await context.sandbox(context.env.observed);
        const command = await commands.run('echo begin; exec sleep 30', {
          background: true,
          timeoutMs: 3_000,
        });
        await cut(context, sandboxId, command);
        await rejects(command.finished(), context.errors.TimeoutError, 'command_timeout');
      },
    },
    {
      name: 'are given up by disconnect and by the signal, also while they are being come back to',
      async run(context) {
        const { errors, observer } = context;
        const { commands, sandboxId } = await context.sandbox(context.env.observed);
        const reason = new Error('enough');
        for (const how of ['disconnect', 'signal'] as const) {
          const abort = new AbortController();
          const command = await commands.run('echo begin; sleep 30', {
            background: true,
            signal: abort.signal,
          });
          const finished = command.finished();
          finished.catch(() => undefined);
          await cut(context, sandboxId, command);
          if (how === 'disconnect') {
            await command.disconnect();
            await rejects(finished, errors.SandboxError, 'disconnected');
          } else {
            abort.abort(reason);
            ok((await finished.catch((error: unknown) => error)) === reason, 'the reason of the signal');
          }
          await until(async () => (await observer.open(sandboxId, connect)) === 0, 'no new stream stays');
          equal(await commands.kill(command.pid), true, 'it lives on');
        }
      },
    },
    {
      name: 'declare what was missed while their loop was left',
      async run(context) {
        const { commands, files } = await context.sandbox();
        const command = await commands.run(waiting, { background: true });
        for await (const event of command) if (event.type === 'stdout') break;
        const seen: string[] = [];
        const loop = (async () => {
          for await (const event of command) {
            seen.push('data' in event ? event.data : event.type);
            if (event.type === 'gap') await files.write('go', '');
          }
        })();
        await loop;
        equal(seen, ['begin\n', 'gap', 'end\n', 'exit'], 'events');
      },
    },
  ],
};
