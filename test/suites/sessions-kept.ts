import { equal, ok, rejects, until } from './assert.js';
import type { Context, Suite } from './case.js';
import { PageNetwork } from './page-network.js';
import { Screen } from './screen.js';

type ConnectOptions = Parameters<Context['browser']['Sandbox']['connect']>[0];

const size = { cols: 80, rows: 24 };
const refresh = '/sessions/refresh';
/** Prints, waits for a file, and prints again. */
const waiting = 'echo begin; while [ ! -e go ]; do sleep 0.02; done; echo end';

/** A sandbox of a session whose token ends after two seconds. */
async function shortLived(context: Context, network: PageNetwork, options: Partial<ConnectOptions> = {}) {
  const given = await context.session(context.env.shortLived);
  const sandbox = await context.browser.Sandbox.connect({ session: given, ...network.options, ...options });
  return { given, sandbox };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export const sessionsKept: Suite = {
  name: 'sessions that go on',
  cases: [
    {
      name: 'an open terminal, for which the session is refreshed while nothing is asked',
      via: 'session',
      async run(context) {
        const network = new PageNetwork(context);
        const { sandbox } = await shortLived(context, network);
        const terminal = await sandbox.pty.create(size);
        const states: string[] = [];
        terminal.channel.onStatus(({ state }) => void states.push(state));
        const screen = new Screen(terminal);
        await screen.type('word=kept; echo re""ady\n', 'ready');
        const before = network.requests.length;
        await until(() => network.count(refresh) >= 2, 'the second refresh');
        await screen.type('echo "[$word]"\n', '[kept]');
        equal(states, [], 'what became of the link');
        ok(
          network.requests.slice(before).every((path) => path.endsWith(refresh)),
          'there were other requests than refreshes',
        );
        await terminal.kill();
        const after = network.count(refresh);
        await pause(3_000);
        equal(network.count(refresh), after, 'refreshes with nothing under way');
      },
    },
    {
      name: 'a running stream',
      via: 'session',
      async run(context) {
        const network = new PageNetwork(context);
        const { sandbox } = await shortLived(context, network);
        const command = await sandbox.commands.run(waiting, { background: true });
        await until(() => network.count(refresh) >= 2, 'the second refresh');
        await sandbox.files.write('go', '');
        const { stdout, gaps } = await command.wait();
        equal([stdout, gaps], ['begin\nend\n', undefined], 'stdout, gaps');
      },
    },
    {
      name: 'a half-done upload',
      via: 'session',
      needs: ['streamed-requests'],
      async run(context) {
        const network: PageNetwork = new PageNetwork(context, async (url, init) => {
          if (!url.includes('/files?')) return fetch(url, init);
          const body = new Response(init.body).body!.pipeThrough(
            new TransformStream<Uint8Array, Uint8Array>({
              async transform(chunk, controller) {
                controller.enqueue(chunk.subarray(0, 1000));
                await until(() => network.count(refresh) >= 2, 'the second refresh');
                controller.enqueue(chunk.subarray(1000));
              },
            }),
          );
          return fetch(url, { ...init, body, duplex: 'half' } as RequestInit);
        });
        const { sandbox } = await shortLived(context, network);
        await sandbox.files.write('slow.bin', new Uint8Array(2000).fill(7));
        equal((await sandbox.files.getInfo('slow.bin')).size, 2000, 'size');
      },
    },
    {
      name: 'an upload whose source takes longer than the token lives',
      via: 'session',
      async run(context) {
        const network = new PageNetwork(context);
        const { given, sandbox } = await shortLived(context, network);
        const slow = new ReadableStream<Uint8Array>({
          async start(controller) {
            controller.enqueue(new Uint8Array(1000));
            await pause(given.ttlMs + 200);
            controller.enqueue(new Uint8Array(1000));
            controller.close();
          },
        });
        await sandbox.files.write('slow.bin', slow);
        equal((await sandbox.files.getInfo('slow.bin')).size, 2000, 'size');
      },
    },
    {
      name: 'a machine that slept for longer than the token lives comes back to its terminal and its command',
      via: 'session',
      async run(context) {
        const network = new PageNetwork(context);
        const asked: string[] = [];
        const given = await context.session(context.env.shortLived);
        const sandbox = await context.browser.Sandbox.connect({
          ...network.options,
          session: ({ reason }) => {
            asked.push(reason);
            return given;
          },
        });
        const terminal = await sandbox.pty.create(size);
        const screen = new Screen(terminal);
        await screen.type('word=kept; echo re""ady\n', 'ready');
        const command = await sandbox.commands.run(waiting, { background: true });
        await until(() => command.stdout.includes('begin'), 'the first output');
        network.sleep();
        await pause(given.ttlMs + 500);
        network.wake();
        terminal.channel.reconnect();
        await until(() => command.gaps === 1, 'the command is listened to again');
        await sandbox.files.write('go', '');
        equal((await command.wait()).stdout, 'begin\nend\n', 'stdout');
        await screen.type('echo "[$word]"\n', '[kept]');
        equal(asked, ['connect'], 'what the session function was asked');
        await terminal.kill();
      },
    },
    {
      name: 'an open terminal and a running command, from a session that is over to the one after it',
      via: 'session',
      async run({ browser, env, headers, session, socket }) {
        const given = await session(env.brief);
        const asked: string[] = [];
        const sandbox = await browser.Sandbox.connect({
          ...socket,
          session: ({ reason, sandboxId }) => {
            asked.push(reason);
            return reason === 'connect'
              ? given
              : browser.fetchSession(env.brief.brokerUrl, { headers, sandboxId });
          },
        });
        const terminal = await sandbox.pty.create(size);
        const screen = new Screen(terminal);
        await screen.type('word=kept; echo re""ady\n', 'ready');
        const command = await sandbox.commands.run(waiting, { background: true });
        await until(() => command.gaps === 1, 'the command is listened to by the next session');
        await sandbox.files.write('go', '');
        equal((await command.wait()).stdout, 'begin\nend\n', 'stdout');
        await screen.type('echo "[$word]"\n', '[kept]');
        ok(asked.includes('renew'), 'the session function was not asked again');
        await terminal.kill();
      },
    },
    {
      name: 'calls wait for a broker that has no time for a refresh',
      via: 'session',
      async run(context) {
        let refusals = 0;
        const network = new PageNetwork(context, async (url, init) => {
          if (!url.endsWith(refresh) || refusals >= 2) return fetch(url, init);
          const status = refusals++ === 0 ? 429 : 503;
          const body = JSON.stringify({ code: 'not_now', message: 'not now' });
          return new Response(body, { status, headers: { 'retry-after': '0' } });
        });
        const { given, sandbox } = await shortLived(context, network);
        await pause(given.ttlMs + 100);
        const runs = await Promise.all([1, 2, 3].map((index) => sandbox.commands.run(`echo ${index}`)));
        equal(
          runs.map(({ stdout }) => stdout),
          ['1\n', '2\n', '3\n'],
          'what the commands printed',
        );
        equal(refusals, 2, 'refusals');
      },
    },
    {
      name: 'a session function that failed is asked again by the next call',
      via: 'session',
      async run({ session, browser, errors, socket }) {
        const good = await session();
        const failure = new TypeError('of the page itself');
        let asked = 0;
        const sandbox = await browser.Sandbox.connect({
          ...socket,
          session: () => {
            asked++;
            if (asked === 2) throw failure;
            return asked === 1 ? { ...good, token: 'no.good.token' } : good;
          },
        });
        const error = await rejects(
          sandbox.commands.run('true'),
          errors.ConnectionError,
          'session_unavailable',
        );
        equal([error.cause, error.uncertain], [failure, false], 'cause, uncertain');
        equal((await sandbox.commands.run('echo fine')).stdout, 'fine\n', 'stdout');
        equal(asked, 3, 'how often the function was asked');
      },
    },
  ],
};
