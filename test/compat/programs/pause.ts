import { Sandbox } from 'e2b';
import { failure } from './support/report.js';

const sandbox = await Sandbox.create({ timeoutMs: 60_000 });
const counter = await sandbox.commands.run('while read line; do echo "got $line"; done', {
  background: true,
  stdin: true,
});

console.log('pause', await sandbox.pause(), await sandbox.pause());
console.log((await sandbox.getInfo()).state, await sandbox.isRunning());

const again = await Sandbox.connect(sandbox.sandboxId, { timeoutMs: 60_000 });
console.log((await again.getInfo()).state, await again.isRunning());
console.log(
  'survived',
  (await again.commands.list()).some(({ pid }) => pid === counter.pid),
);

console.log('static', await Sandbox.pause(sandbox.sandboxId, { keepMemory: false }));
await again.connect();
console.log(
  'survived',
  (await again.commands.list()).some(({ pid }) => pid === counter.pid),
);

await sandbox.kill();
console.log(await failure(Sandbox.pause(sandbox.sandboxId)));
