import { equal, ok, rejects } from './assert.js';
import type { Suite } from './case.js';

const nul = '\0';

const wrongStarts: Record<string, object> = {
  background: { background: 'yes' },
  'cwd is empty': { cwd: '' },
  'cwd is null': { cwd: null },
  'cwd with NUL': { cwd: `/tmp${nul}` },
  user: { user: 'a:b' },
  'user is empty': { user: '' },
  envs: { envs: 'A=1' },
  'envs with a number': { envs: { A: 1 } },
  'envs with a name with =': { envs: { 'A=B': '1' } },
  'envs without a name': { envs: { '': '1' } },
  'envs with NUL': { envs: { A: nul } },
  'envs as an array': { envs: ['A'] },
  stdin: { stdin: 5 },
  'stdin is null': { stdin: null },
  'stdin is being read': { stdin: lockedStream() },
  timeoutMs: { timeoutMs: '60' },
  'timeoutMs below 0': { timeoutMs: -1 },
  requestTimeoutMs: { requestTimeoutMs: Number.NaN },
  signal: { signal: 'SIGTERM' },
  onStdout: { onStdout: 'print' },
  onStderr: { onStderr: {} },
  maxRetainedBytes: { maxRetainedBytes: -1 },
  'maxRetainedBytes with a fraction': { maxRetainedBytes: 0.5 },
  reconnectMs: { reconnectMs: true },
};

const wrongTerminals: Record<string, object> = {
  'cols is missing': { rows: 24 },
  cols: { cols: 0, rows: 24 },
  rows: { cols: 80, rows: 65_536 },
  'rows with a fraction': { cols: 80, rows: 1.5 },
  transport: { cols: 80, rows: 24, transport: 'carrier pigeon' },
  onData: { cols: 80, rows: 24, onData: true },
  envs: { cols: 80, rows: 24, envs: { A: null } },
  timeoutMs: { cols: 80, rows: 24, timeoutMs: null },
};

export const commandsOptions: Suite = {
  name: 'options of commands and terminals',
  cases: [
    {
      name: 'that are wrong are refused by name, before anything is started',
      async run({ sandbox, errors }) {
        const { commands, pty } = await sandbox();
        const refused = (call: () => Promise<unknown>) =>
          rejects(call, errors.InvalidArgumentError, 'invalid_argument');
        for (const [what, options] of Object.entries(wrongStarts)) {
          const { message } = await refused(() => commands.run('touch started', options));
          ok(message.startsWith(`commands.run: ${what.split(' ')[0]} is `), `${what}: ${message}`);
        }
        for (const [what, options] of Object.entries(wrongTerminals)) {
          const { message } = await refused(() => pty.create(options as { cols: number; rows: number }));
          ok(message.startsWith(`pty.create: ${what.split(' ')[0]} is `), `${what}: ${message}`);
        }
        for (const command of [undefined, null, 5, ['ls'], `ls${nul}`]) {
          await refused(() => commands.run(command as string));
        }
        for (const pid of [0, -1, 1.5, '7', null, 2 ** 32] as number[]) {
          await refused(() => commands.connect(pid));
          await refused(() => commands.sendStdin(pid, 'x'));
          await refused(() => commands.closeStdin(pid));
          await refused(() => pty.connect(pid));
          await refused(() => pty.sendInput(pid, new Uint8Array(1)));
          await refused(() => pty.resize(pid, { cols: 80, rows: 24 }));
        }
        await refused(() => commands.sendStdin(1, null as never));
        await refused(() => pty.sendInput(1, 'text' as never));
        await refused(() => pty.resize(1, { cols: 80 } as never));
        await refused(() => commands.list(null as never));
        equal(await commands.list(), [], 'what was started');
      },
    },
    {
      name: 'may leave the command empty, as in the official SDK',
      async run({ sandbox }) {
        const { commands } = await sandbox();
        equal(await commands.run(''), { exitCode: 0, stdout: '', stderr: '' }, 'the result');
      },
    },
    {
      name: 'give a command that is waited for a minute, and others no time limit of their own',
      async run({ sandbox, env }) {
        const limits: string[] = [];
        const { commands, pty } = await sandbox(env, {
          fetch: (url, init) => {
            const [call] = url.split('/').slice(-1);
            const limit = new Headers(init?.headers).get('connect-timeout-ms');
            if (call === 'Start' || call === 'Connect') limits.push(`${call} ${limit}`);
            return fetch(url, init);
          },
        });
        await commands.run('true');
        const command = await commands.run('sleep 5', { background: true });
        await commands.run('true', { timeoutMs: 5_000 });
        const terminal = await pty.create({ cols: 80, rows: 24, transport: 'connect' });
        await (await commands.connect(command.pid)).disconnect();
        equal(limits, ['Start 60000', 'Start null', 'Start 5000', 'Start null', 'Connect null'], 'limits');
        await command.kill();
        await terminal.kill();
      },
    },
    {
      name: 'limit the listening where they are those of connect',
      async run({ sandbox }) {
        const { commands, pty } = await sandbox();
        const command = await commands.run('sleep 30', { background: true });
        const listening = await commands.connect(command.pid, { timeoutMs: 300 });
        const terminal = await pty.create({ cols: 80, rows: 24 });
        const looking = await pty.connect(terminal.pid, { timeoutMs: 300 });
        // The official names of what is over: the listening, not the process.
        const over = async (handle: { wait(): Promise<unknown> }): Promise<unknown> =>
          handle.wait().catch((error: { code?: string }) => error.code);
        equal(await Promise.all([over(listening), over(looking)]), Array(2).fill('command_timeout'), 'both');
        const pids = (await commands.list()).map(({ pid }) => pid);
        ok(pids.includes(command.pid) && pids.includes(terminal.pid), 'they live on');
        await command.kill();
        await terminal.kill();
      },
    },
  ],
};

function lockedStream(): ReadableStream<Uint8Array> {
  const stream = new ReadableStream<Uint8Array>();
  stream.getReader();
  return stream;
}
