/** What ends with its block has ended after it. Prints what had not. */

import { createSandboxPool, Sandbox } from 'e2b-edge';

const left: string[] = [];
let inner: Sandbox;
{
  await using sandbox = await Sandbox.create();
  inner = sandbox;
  const watch = await watchUntilTheBlockEnds(sandbox);
  for await (const event of watch) left.push(`the watch still gives ${event.type}`);
}
if (await inner.isRunning()) left.push('the sandbox runs');

let leased: Sandbox;
{
  await using pool = createSandboxPool({ create: () => Sandbox.create(), min: 1, max: 1 });
  {
    await using lease = await pool.acquire();
    leased = lease.sandbox;
  }
  if (pool.stats.leased > 0) left.push('the lease is held');
}
if (await leased.isRunning()) left.push('the sandbox of the pool runs');

console.log(JSON.stringify(left));

async function watchUntilTheBlockEnds(sandbox: Sandbox) {
  await using watch = await sandbox.files.watchDir('/tmp');
  return watch;
}
