import { Sandbox } from 'e2b';
import { failure } from './support/report.js';

const sandbox = await Sandbox.create({ timeoutMs: 60_000 });

console.log(await failure(sandbox.commands.run('sleep 30', { timeoutMs: 300 })));
const limited = await sandbox.commands.run('sleep 30', { background: true, timeoutMs: 3_000 });
console.log(await failure(limited.wait()));
const unlimited = await sandbox.commands.run('sleep 0.5; echo done', { timeoutMs: 0 });
console.log(unlimited.stdout);

const controller = new AbortController();
const aborted = failure(sandbox.commands.run('sleep 30', { signal: controller.signal }));
setTimeout(() => controller.abort(), 200);
console.log((await aborted) !== 'no error');
console.log((await failure(sandbox.getInfo({ signal: AbortSignal.abort() }))) !== 'no error');
await sandbox.kill();
