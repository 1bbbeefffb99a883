/** A pool: two sandboxes are ready before they are asked for, and there are never more than four. */

import { createSandboxPool, Sandbox } from 'e2b-edge';

const pool = createSandboxPool({
  min: 2,
  max: 4,
  create: () => Sandbox.create({ timeoutMs: 60_000 }),
  onError: (error, step) => console.error(`${step} failed:`, error),
});

// One that is taken by hand: given back at the end of the block, which kills it, for the next caller gets a fresh one.
{
  await using lease = await pool.acquire();
  await lease.sandbox.files.write('secret.txt', 'of one user');
  console.log('lent:', pool.stats.leased);
}

// Ten requests at once: four run, six wait for their turn.
let most = 0;
const answers = await Promise.all(
  Array.from({ length: 10 }, (_, request) =>
    pool.use(async (sandbox) => {
      most = Math.max(most, pool.stats.leased);
      const { stdout } = await sandbox.commands.run(`ls; echo answer ${request}`);
      return stdout.trim();
    }),
  ),
);
console.log(answers.join(', '));
console.log('never more than 4 at a time:', most <= 4);

await pool.drain();
console.log('left:', pool.stats.size);
