import { getSignature, Sandbox } from 'e2b';
import { failure } from './support/report.js';

const sandbox = await Sandbox.create({ timeoutMs: 60_000 });
const query = (url: string) => [...new URL(url).searchParams.keys()].sort();

console.log(sandbox.getHost(3000).startsWith(`3000-${sandbox.sandboxId}.`));

const upload = await sandbox.uploadUrl('up.txt');
console.log(query(upload));
const form = new FormData();
form.append('file', new Blob(['sent by form']), 'up.txt');
console.log((await fetch(upload, { method: 'POST', body: form })).status, await sandbox.files.read('up.txt'));

const download = await sandbox.downloadUrl('up.txt', { useSignatureExpiration: 60 });
console.log(query(download));
console.log(await (await fetch(download)).text());
console.log((await fetch(download.replace('up.txt', 'other.txt'))).status);

const expired = await failure(async () => {
  const url = await sandbox.downloadUrl('up.txt', { useSignatureExpiration: -10 });
  console.log('expired', (await fetch(url)).status);
});
console.log(expired);

const signed = await getSignature({ path: '/a', operation: 'read', user: 'user', envdAccessToken: 'token' });
console.log(signed);
await sandbox.kill();
console.log(await failure(async () => sandbox.downloadUrl('/tmp/x')));
