import { Sandbox } from 'e2b';
import { failure, shape } from './support/report.js';

const sandbox = await Sandbox.create({ timeoutMs: 60_000 });
await sandbox.files.write('state.txt', 'before');
const snapshot = await sandbox.createSnapshot();
console.log(shape(snapshot));
await sandbox.files.write('state.txt', 'after');

const copy = await Sandbox.create(snapshot.snapshotId, { timeoutMs: 60_000 });
console.log(await copy.files.read('state.txt'), await sandbox.files.read('state.txt'));
await copy.kill();

const name = `snap-${crypto.randomUUID().slice(0, 8)}`;
const named = await Sandbox.createSnapshot(sandbox.sandboxId, { name });
console.log(
  named.names.length,
  named.names.some((one) => one.includes(name)),
);

const pages = sandbox.listSnapshots({ limit: 1 });
const ids: string[] = [];
while (pages.hasNext) ids.push(...(await pages.nextItems()).map(({ snapshotId }) => snapshotId));
console.log(ids.length, ids.includes(snapshot.snapshotId), ids.includes(named.snapshotId));
console.log((await Sandbox.listSnapshots({ sandboxId: sandbox.sandboxId }).nextItems()).length);

console.log(
  await Sandbox.deleteSnapshot(snapshot.snapshotId),
  await Sandbox.deleteSnapshot(snapshot.snapshotId),
);
console.log(await failure(Sandbox.create(snapshot.snapshotId)));
await Sandbox.deleteSnapshot(named.snapshotId);
await sandbox.kill();
console.log(await failure(Sandbox.createSnapshot(sandbox.sandboxId)));
