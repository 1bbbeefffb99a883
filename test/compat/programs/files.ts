import { Sandbox } from 'e2b';
import { plain, shape } from './support/report.js';

const sandbox = await Sandbox.create({ timeoutMs: 60_000 });
const bytes = new Uint8Array([0, 1, 2, 253, 254, 255]);

console.log(plain(await sandbox.files.write('notes/text.txt', 'grüße\n')));
await sandbox.files.write('bytes.bin', bytes.buffer);
await sandbox.files.write('blob.bin', new Blob([bytes, bytes]));
await sandbox.files.write('stream.bin', new Blob([bytes]).stream());
await sandbox.files.write('empty', '');
const many = await sandbox.files.write([
  { path: 'many/a', data: 'a' },
  { path: 'many/b', data: bytes.buffer },
]);
console.log(plain(many));
console.log((await sandbox.files.writeFiles([{ path: '/tmp/c', data: 'c' }])).length);

console.log(await sandbox.files.read('notes/text.txt'));
console.log(
  await sandbox.files.read('notes/text.txt', { format: 'text', user: 'root' }).catch(() => 'not root’s'),
);
console.log(await sandbox.files.read('bytes.bin', { format: 'bytes' }));
const blob = await sandbox.files.read('blob.bin', { format: 'blob' });
console.log(blob instanceof Blob, blob.size);
const stream = await sandbox.files.read('stream.bin', { format: 'stream' });
console.log(new Uint8Array(await new Response(stream).arrayBuffer()));
console.log(JSON.stringify(await sandbox.files.read('empty')));

await sandbox.files.write('zipped', 'z'.repeat(10_000), { gzip: true });
console.log((await sandbox.files.read('zipped', { gzip: true })).length);
await sandbox.files.write('octets', 'o', { useOctetStream: true, metadata: { origin: 'test' } });
const info = await sandbox.files.getInfo('octets');
console.log(shape(info));
console.log(info.name, info.type, info.path, info.size, info.permissions, info.owner, info.metadata);
await sandbox.kill();
