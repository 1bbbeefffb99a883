import { Sandbox } from 'e2b';
import { failure, until } from './support/report.js';

const sandbox = await Sandbox.create({ timeoutMs: 60_000 });
const decoder = new TextDecoder();
const encoder = new TextEncoder();
let screen = '';
const onData = (data: Uint8Array) => {
  screen += decoder.decode(data, { stream: true });
};

const terminal = await sandbox.pty.create({
  cols: 80,
  rows: 24,
  onData,
  cwd: '/tmp',
  envs: { MARK: 'here' },
});
await sandbox.pty.sendInput(terminal.pid, encoder.encode('stty size; echo "$MARK $PWD $TERM"\n'));
await until(() => /24 80/.test(screen) && /here \/tmp xterm/.test(screen));
await sandbox.pty.resize(terminal.pid, { cols: 100, rows: 40 });
await sandbox.pty.sendInput(terminal.pid, encoder.encode('stty size\n'));
await until(() => /40 100/.test(screen));
await terminal.disconnect();

screen = '';
const again = await sandbox.pty.connect(terminal.pid, { onData });
await sandbox.pty.sendInput(terminal.pid, encoder.encode('echo sti""ll there; exit 4\n'));
console.log(await failure(again.wait()), again.exitCode);
console.log(/still there/.test(screen));

const other = await sandbox.pty.create({ cols: 80, rows: 24, onData: () => {}, timeoutMs: 0 });
console.log('kill', await sandbox.pty.kill(other.pid));
console.log(await failure(other.wait()));
console.log('kill', await sandbox.pty.kill(other.pid));
console.log(await failure(sandbox.pty.resize(999_999, { cols: 80, rows: 24 })));
console.log(await failure(sandbox.pty.sendInput(999_999, encoder.encode('x'))));
await sandbox.kill();
