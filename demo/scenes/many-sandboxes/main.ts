/**
 * Three kinds of sandboxes, two of each, all at once. In E2B's cloud a kind is a template that was built there under its
 * name. The local server has a recipe for each in `templates.json`: start files and variables over this machine's own
 * programs. So what is printed is the version that this machine has, whatever the recipe is called.
 */

import { mapConcurrent, Sandbox } from 'e2b-edge';

const kinds = [
  { template: 'python3-11', command: 'python3 start.py' },
  { template: 'nodejs18', command: 'node start.mjs' },
  { template: 'ubuntu22', command: 'sh start.sh' },
];

const wanted = [...kinds, ...kinds];
let running = 0;
let most = 0;

const lines = await mapConcurrent(wanted, { concurrency: wanted.length }, async ({ template, command }) => {
  await using sandbox = await Sandbox.create(template, { timeoutMs: 60_000 });
  most = Math.max(most, ++running);
  const { stdout } = await sandbox.commands.run(command);
  // Nobody leaves before all are there.
  while (most < wanted.length) await new Promise((resolve) => setTimeout(resolve, 10));
  running--;
  return `${template}: ${stdout.trim()}`;
});

for (const line of lines) console.log(line);
console.log('at once:', most);
