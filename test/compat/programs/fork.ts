import { Sandbox } from 'e2b';
import { failure } from './support/report.js';

const sandbox = await Sandbox.create({ timeoutMs: 60_000 });
await sandbox.files.write('state.txt', 'shared');

const forks = await sandbox.fork({ count: 2, timeoutMs: 60_000 });
console.log(forks.length);
for (const fork of forks) {
  if (fork instanceof Error) throw fork;
  console.log(
    fork instanceof Sandbox,
    fork.sandboxId !== sandbox.sandboxId,
    await fork.files.read('state.txt'),
  );
  await fork.files.write('state.txt', 'own');
}
console.log(await sandbox.files.read('state.txt'));

const [one] = await Sandbox.fork(sandbox.sandboxId);
for (const fork of [...forks, one!]) if (!(fork instanceof Error)) await fork.kill();
await sandbox.kill();
console.log(await failure(Sandbox.fork(sandbox.sandboxId)));
