import { FileType, Sandbox } from 'e2b';
import { failure, shape } from './support/report.js';

const sandbox = await Sandbox.create({ timeoutMs: 60_000 });
const { files } = sandbox;

console.log(await files.makeDir('tree/deep/deeper'), await files.makeDir('tree/deep'));
await files.write('tree/file', '123');
await sandbox.commands.run('ln -s file tree/link');

for (const entry of await files.list('tree', { depth: 2 })) {
  const { name, type, path, size, permissions, symlinkTarget } = entry;
  console.log(name, type === FileType.DIR, type, path, type === 'dir' || size, permissions, symlinkTarget);
}
console.log(shape(await files.getInfo('tree/file')));

console.log((await files.rename('tree/file', 'tree/renamed')).path);
console.log(await files.exists('tree/file'), await files.exists('tree/renamed'), await files.exists('tree'));
await files.remove('tree/deep');
await files.remove('tree/link');
console.log((await files.list('tree')).map(({ name }) => name).sort());

console.log(await failure(files.read('missing')));
console.log(await failure(files.read('tree')));
console.log(await failure(files.list('missing')));
console.log(await failure(files.list('tree', { depth: 0 })));
console.log(await failure(files.getInfo('missing')));
console.log(await failure(files.rename('missing', 'elsewhere')));
console.log(await failure(files.remove('missing')));
console.log(await failure(files.makeDir('tree/renamed')));
console.log(await failure(files.write('tree', 'a directory')));
console.log(await failure(files.read('tree/renamed', { user: 'nobody-here' })));
await sandbox.kill();
