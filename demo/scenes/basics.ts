/** What one does with a sandbox: create it, run programs, write and read files, ask about it, kill it. */

import { CommandExitError, Sandbox } from 'e2b-edge';

const sandbox = await Sandbox.create({ metadata: { scene: 'basics' }, timeoutMs: 60_000 });
try {
  const hello = await sandbox.commands.run('echo "Hello from $(whoami)"');
  console.log(hello.stdout.trim());

  await sandbox.files.write('numbers.txt', '3\n1\n2\n');
  await sandbox.commands.run('sort numbers.txt > sorted.txt');
  console.log('sorted:', (await sandbox.files.read('sorted.txt')).split('\n').join(' ').trim());
  for (const { name, type, size } of await sandbox.files.list('.')) {
    if (!name.startsWith('.')) console.log(`${type} ${name}, ${size} bytes`);
  }

  // A command that fails is an error, as it is in `e2b`.
  try {
    await sandbox.commands.run('ls /nowhere');
  } catch (error) {
    if (!(error instanceof CommandExitError)) throw error;
    console.log(`ls: exit code ${error.exitCode}, ${error.stderr.trim()}`);
  }

  const info = await sandbox.getInfo();
  console.log(`${info.state}, for the scene ${info.metadata.scene}`);
} finally {
  console.log('killed:', await sandbox.kill());
}
console.log('running:', await sandbox.isRunning());
