import { ALL_TRAFFIC, Sandbox } from 'e2b';
import { failure, plain } from './support/report.js';

const sandbox = await Sandbox.create({
  timeoutMs: 60_000,
  allowInternetAccess: false,
  network: { allowPublicTraffic: false },
  lifecycle: { onTimeout: 'pause', autoResume: true },
});
console.log(typeof sandbox.trafficAccessToken);
const info = await sandbox.getInfo();
console.log(info.allowInternetAccess, plain(info.network), plain(info.lifecycle));

await sandbox.updateNetwork({ denyOut: [ALL_TRAFFIC], allowOut: ['1.1.1.1'] });
console.log(plain((await sandbox.getInfo()).network));
await sandbox.kill();
console.log(await failure(Sandbox.updateNetwork(sandbox.sandboxId, { denyOut: [ALL_TRAFFIC] })));
