import { Sandbox } from 'e2b';
import { shape } from './support/report.js';

const sandbox = await Sandbox.create('base', {
  timeoutMs: 60_000,
  metadata: { owner: 'ada', 'odd key': 'ä & b=c' },
  envs: { GREETING: 'hello' },
});
console.log(shape({ sandboxId: sandbox.sandboxId, sandboxDomain: sandbox.sandboxDomain }));
console.log('running', await sandbox.isRunning());
console.log((await sandbox.commands.run('echo $GREETING')).stdout);

const info = await sandbox.getInfo();
console.log(shape(info));
console.log(info.state, info.metadata, info.sandboxId === sandbox.sandboxId);
console.log(Math.round((info.endAt.getTime() - info.startedAt.getTime()) / 1000), 'seconds');
console.log((await Sandbox.getInfo(sandbox.sandboxId)).templateId === info.templateId);

await sandbox.setTimeout(600_000);
console.log('longer', (await sandbox.getInfo()).endAt > info.endAt);
await Sandbox.setTimeout(sandbox.sandboxId, 30_000);
console.log('shorter', (await sandbox.getInfo()).endAt < info.endAt);

console.log('kill', await sandbox.kill(), await sandbox.kill(), await Sandbox.kill(sandbox.sandboxId));
console.log('running', await sandbox.isRunning());
