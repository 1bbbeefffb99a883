/** A sandbox that is killed when its block ends, however it ends. */

import { Sandbox } from 'e2b-edge';

async function compute(expression: string): Promise<string> {
  await using sandbox = await Sandbox.create({ timeoutMs: 60_000 });
  sandboxIds.push(sandbox.sandboxId);
  const { stdout } = await sandbox.commands.run(`python3 -c 'print(${expression})'`);
  return stdout.trim();
}

const sandboxIds: string[] = [];

console.log('6 * 7 =', await compute('6 * 7'));
await compute('6 / 0').catch((error: Error) => console.log('6 / 0:', error.name));

for (const sandboxId of sandboxIds) {
  // There is nothing left to kill.
  console.log('still there:', await Sandbox.kill(sandboxId));
}
