/** The output of a long command, as it comes, while other questions are asked about the same sandbox. */

import { Sandbox } from 'e2b-edge';

await using sandbox = await Sandbox.create({ timeoutMs: 60_000 });

const build = await sandbox.commands.run(
  'for step in 1 2 3 4 5; do echo "step $step of 5"; sleep 0.3; done; echo "a warning" >&2; exit 3',
  { background: true },
);

for await (const event of build) {
  if (event.type === 'exit') {
    console.log('exit code', event.exitCode);
  } else if (event.type !== 'gap') {
    console.log(`${event.type}:`, event.data.trim());
    if (event.data.includes('step 2')) await ask();
  }
}

async function ask(): Promise<void> {
  const [info, processes] = await Promise.all([sandbox.getInfo(), sandbox.commands.list()]);
  const isListed = processes.some(({ pid }) => pid === build.pid);
  console.log(
    `info: the sandbox is ${info.state}, and the command is ${isListed ? '' : 'not '}among its processes`,
  );
}
