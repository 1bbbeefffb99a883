import { equal, ok, rejects, until } from './assert.js';
import type { Case, Context, Endpoint, Suite } from './case.js';

const size = { cols: 80, rows: 24 };

/** What a terminal prints, as text that can be waited for. */
async function open(context: Context, transport: 'connect' | 'websocket', at: Endpoint = context.env) {
  const sandbox = await context.sandbox(at);
  const decoder = new TextDecoder();
  let text = '';
  const terminal = await sandbox.pty.create({
    ...size,
    transport,
    onData: (data) => {
      text += decoder.decode(data, { stream: true });
    },
  });
  return { sandbox, terminal, printed: (awaited: string) => until(() => text.includes(awaited), awaited) };
}

function handles(transport: 'connect' | 'websocket'): Case[] {
  return [
    {
      name: 'take text, bytes and a size',
      async run(context) {
        const { terminal, printed } = await open(context, transport);
        await terminal.send('echo by""text\n');
        await printed('bytext');
        await terminal.send(new TextEncoder().encode('echo by""bytes\n'));
        await printed('bybytes');
        terminal.resize({ cols: 91, rows: 17 });
        await terminal.send('until [ "$(stty size)" = "17 91" ]; do sleep 0.05; done; echo re""sized\n');
        await printed('resized');
        await terminal.kill();
      },
    },
    {
      name: 'let go of the terminal by closing its channel, and say so',
      async run(context) {
        const { sandbox, terminal, printed } = await open(context, transport);
        await terminal.send('echo re""ady\n');
        await printed('ready');
        const states: string[] = [];
        const stop = terminal.channel.onStatus(({ state }) => states.push(state));
        terminal.channel.close();
        terminal.channel.close();
        equal(terminal.channel.status, { state: 'closed' }, 'status');
        equal(states, ['closed'], 'what the listener heard');
        stop();
        const again = await sandbox.pty.connect(terminal.pid, { transport });
        ok(await again.kill(), 'it lived on');
      },
    },
  ];
}

/** By Connect the stream is the link; a relay heals its own upstream, and its link is tested by cutting it elsewhere. */
const reconnecting: Case = {
  name: 'are told to reconnect at once after a cut',
  async run(context) {
    const { sandbox, terminal, printed } = await open(context, 'connect', context.env.observed);
    await terminal.send('echo re""ady\n');
    await printed('ready');
    const states: string[] = [];
    terminal.channel.onStatus(({ state }) => {
      states.push(state);
      if (state === 'reconnecting') terminal.channel.reconnect();
    });
    await context.observer.cut(sandbox.sandboxId, '/process.Process/Start');
    await until(() => states.at(-1) === 'open' && states.includes('reconnecting'), 'it is back');
    await terminal.send('echo ba""ck\n');
    await printed('back');
    await terminal.kill();
  },
};

/** Of a relay alone: straight to envd everybody writes. */
const sharing: Case = {
  name: 'watch while another one writes, and take over',
  async run(context) {
    const { sandbox, terminal, printed } = await open(context, 'websocket');
    await terminal.send('echo re""ady\n');
    await printed('ready');
    equal(terminal.mode, 'write', 'mode of who opened it');
    const modes: string[] = [];
    const stop = terminal.onMode((mode) => modes.push(mode));
    const second = await sandbox.pty.connect(terminal.pid, { ...size, transport: 'websocket' });
    const heard: string[] = [];
    const unfollow = second.channel.sharing?.onMode((mode) => heard.push(mode));
    await until(() => terminal.mode === 'read', 'the first one watches');
    await rejects(() => terminal.send('x'), context.errors.ConnectionError, 'input_not_executed');

    await terminal.takeOver();
    await until(() => second.mode === 'read', 'the second one watches');
    await terminal.send('echo by""first\n');
    await printed('byfirst');

    await second.channel.sharing?.takeOver();
    await until(() => terminal.mode === 'read', 'the first one watches again');
    await second.send('echo by""second\n');
    await printed('bysecond');
    equal(modes, ['read', 'write', 'read'], 'what the first one was told');
    equal(heard, ['read', 'write'], 'what the second one was told');
    stop();
    unfollow?.();
    await second.kill();
  },
};

export const terminalHandles: Suite = {
  name: "terminals' handles, by Connect",
  cases: [...handles('connect'), reconnecting],
};

export const terminalHandlesWebSocket: Suite = {
  name: "terminals' handles, by WebSocket",
  cases: [...handles('websocket'), sharing].map((one) => ({ ...one, via: 'session' })),
};
