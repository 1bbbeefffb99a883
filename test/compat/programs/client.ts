import { ALL_TRAFFIC, E2B, FilesystemEventType, FileType, Sandbox } from 'e2b';
import { failure } from './support/report.js';

const { E2B_API_KEY: apiKey = '', E2B_API_URL: apiUrl = '', E2B_SANDBOX_URL: sandboxUrl = '' } = process.env;
for (const name of ['E2B_API_KEY', 'E2B_API_URL', 'E2B_SANDBOX_URL']) delete process.env[name];

const client = new E2B({ apiKey, apiUrl, sandboxUrl });
const sandbox = await client.Sandbox.create({ timeoutMs: 60_000, metadata: { made: 'by client' } });
console.log((await sandbox.getInfo()).metadata);
console.log((await client.Sandbox.connect(sandbox.sandboxId)).sandboxId === sandbox.sandboxId);
console.log((await client.Sandbox.list({ limit: 1 }).nextItems()).length);
console.log(await client.Sandbox.kill(sandbox.sandboxId));

console.log(await failure(Sandbox.create({ apiUrl })));
console.log(ALL_TRAFFIC, FileType, FilesystemEventType);
