import { Sandbox } from 'e2b';
import { failure, until } from './support/report.js';

const sandbox = await Sandbox.create({ timeoutMs: 60_000 });

const quick = await sandbox.commands.run('echo hi; exit 2', { background: true });
console.log(typeof quick.pid, await failure(quick.wait()));
console.log(quick.exitCode, quick.stdout, quick.stderr, quick.error);

const cat = await sandbox.commands.run('cat', { background: true, stdin: true });
await cat.sendStdin('text\n');
await sandbox.commands.sendStdin(cat.pid, new TextEncoder().encode('bytes\n'));
await cat.closeStdin();
const { stdout, exitCode } = await cat.wait();
console.log(stdout, exitCode, sandbox.commands.supportsStdinClose);

let heard = '';
const hear = (data: string) => {
  heard += data;
};
const loop = await sandbox.commands.run('while true; do echo tick; sleep 0.05; done', {
  background: true,
  envs: { NAME: 'loop' },
});
const listed = (await sandbox.commands.list()).find(({ pid }) => pid === loop.pid);
console.log(listed?.cmd, listed?.args, listed?.envs.NAME);
await loop.disconnect();

const again = await sandbox.commands.connect(loop.pid, { onStdout: hear });
await until(() => heard.includes('tick'));
console.log('kill', await sandbox.commands.kill(loop.pid));
console.log(await failure(again.wait()), again.exitCode, again.error);
await until(async () => !(await sandbox.commands.list()).some(({ pid }) => pid === loop.pid));
console.log('kill', await sandbox.commands.kill(loop.pid), await loop.kill());

console.log(await failure(sandbox.commands.connect(999_999)));
console.log(await failure(sandbox.commands.sendStdin(999_999, 'x')));
await sandbox.kill();
