import { Sandbox } from 'e2b';
import { failure } from './support/report.js';

const mark = crypto.randomUUID();
const made: Sandbox[] = [];
for (const part of ['a', 'b', 'c']) {
  made.push(await Sandbox.create({ metadata: { mark, part }, timeoutMs: 60_000 }));
}
await made[2]!.pause();

const paginator = Sandbox.list({ query: { metadata: { mark } }, limit: 2 });
console.log('before', paginator.hasNext, paginator.nextToken);
while (paginator.hasNext) {
  const page = await paginator.nextItems();
  console.log(page.map(({ metadata, state }) => `${metadata.part} ${state}`).sort());
}
console.log(await failure(() => paginator.nextItems()));

const parts = async (options: Parameters<typeof Sandbox.list>[0]) =>
  (await Sandbox.list(options).nextItems()).map(({ metadata }) => metadata.part);
console.log(await parts({ query: { metadata: { mark }, state: ['paused'] } }));
console.log(await parts({ query: { metadata: { mark }, state: ['running'] }, order: 'asc' }));
console.log(await parts({ query: { metadata: { mark, part: 'b' } } }));
console.log(await parts({ query: { metadata: { mark: 'none' } } }));

for (const sandbox of made) await sandbox.kill();
