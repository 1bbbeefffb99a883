import { Sandbox } from 'e2b';
import { failure } from './support/report.js';

const first = await Sandbox.create({ timeoutMs: 60_000 });
await first.files.write('kept.txt', 'kept');

const second = await Sandbox.connect(first.sandboxId);
console.log(second.sandboxId === first.sandboxId, await second.files.read('kept.txt'));
console.log((await first.connect({ timeoutMs: 600_000 })) instanceof Sandbox);

const { startedAt, endAt } = await first.getInfo();
console.log('lives longer now', endAt.getTime() - startedAt.getTime() > 300_000);

await first.kill();
console.log(await failure(Sandbox.connect(first.sandboxId)));
console.log(await failure(Sandbox.getInfo(first.sandboxId)));
console.log(await failure(Sandbox.setTimeout(first.sandboxId, 60_000)));
console.log(await failure(second.commands.run('true')));
console.log(await failure(second.files.read('kept.txt')));
console.log(await failure(second.files.list('/')));
