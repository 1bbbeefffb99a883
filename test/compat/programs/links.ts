import { Sandbox } from 'e2b';
import { shape } from './support/report.js';

const sandbox = await Sandbox.create({ timeoutMs: 60_000 });
await sandbox.files.write('tree/file', '123');
await sandbox.commands.run('cd tree; ln -s file link; ln -s nowhere dangling');

console.log((await sandbox.files.list('tree')).map(({ name }) => name).join(', '));
const link = await sandbox.files.getInfo('tree/link');
console.log(link.type, link.symlinkTarget, shape(link));
console.log(await sandbox.files.read('tree/link'));
await sandbox.kill();
