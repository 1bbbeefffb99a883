import { type FilesystemEvent, FilesystemEventType, Sandbox } from 'e2b';
import { failure, shape, until } from './support/report.js';

const sandbox = await Sandbox.create({ timeoutMs: 60_000 });
await sandbox.files.makeDir('watched/sub');

const events: FilesystemEvent[] = [];
let ended = false;
const handle = await sandbox.files.watchDir('watched', (event) => void events.push(event), {
  recursive: true,
  onExit: () => {
    ended = true;
  },
});
const seen = (name: string, type: string) =>
  events.some((event) => event.name === name && event.type === type);

await sandbox.files.write('watched/a', '1');
await until(() => seen('a', FilesystemEventType.CREATE) && seen('a', FilesystemEventType.WRITE));
await sandbox.files.write('watched/sub/b', '2');
await until(() => seen('sub/b', 'create'));
await sandbox.files.rename('watched/a', 'watched/c');
await until(() => seen('a', 'rename'));
await sandbox.files.remove('watched/c');
await until(() => seen('c', 'remove'));
await sandbox.commands.run('chmod 600 watched/sub/b');
await until(() => seen('sub/b', 'chmod'));
console.log(shape(events[0]!), events[0]!.type, events[0]!.name);

await handle.stop();
await until(() => ended);
const count = events.length;
await sandbox.files.write('watched/late', '3');
await sandbox.commands.run('sleep 0.2');
console.log('after stop', events.length - count);

const detailed: FilesystemEvent[] = [];
const other = await sandbox.files.watchDir('watched', (event) => void detailed.push(event), {
  includeEntry: true,
});
await sandbox.files.write('watched/d', 'four');
await until(() => detailed.some(({ type, entry }) => type === 'write' && entry?.size === 4));
const entry = detailed.find(({ type }) => type === 'write')?.entry;
console.log(entry?.path, entry?.type, entry?.size);
await other.stop();

console.log(await failure(sandbox.files.watchDir('missing', () => {})));
console.log(await failure(sandbox.files.watchDir('watched/d', () => {})));
await sandbox.kill();
