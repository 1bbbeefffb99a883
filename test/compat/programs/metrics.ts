import { Sandbox } from 'e2b';
import { failure, shape, until } from './support/report.js';

const sandbox = await Sandbox.create({ timeoutMs: 60_000 });
await until(async () => (await sandbox.getMetrics()).length > 0);
const [sample] = await sandbox.getMetrics();
console.log(shape(sample!));

const all = await Sandbox.getMetrics(sandbox.sandboxId, { start: new Date(0), end: new Date() });
console.log(
  all.length > 0,
  all.every(({ timestamp }) => timestamp instanceof Date),
);
console.log((await sandbox.getMetrics({ start: new Date(0), end: new Date(1_000_000) })).length);
await sandbox.kill();
console.log(await failure(Sandbox.getMetrics('inotthereinotthereino')));
