import { expect, test } from 'vitest';
import { run, sh, stream } from './support/rpc.js';
import { createSandbox, startServer } from './support/server.js';

test('requests that are given up, however many, end no sandbox', async () => {
  const server = await startServer();
  const sandbox = await createSandbox(server);
  const events = await stream(server, sandbox, 'process.Process/Start', sh('exec sleep 300'));
  const { pid } = (await events.next())!.event.start;
  const [count, atOnce] = [1500, 50];
  for (let made = 0; made < count; made += atOnce) {
    const listeners = await Promise.all(
      Array.from({ length: atOnce }, () =>
        stream(server, sandbox, 'process.Process/Connect', { process: { pid } }),
      ),
    );
    for (const listener of listeners) listener.close();
  }
  expect((await run(server, sandbox, sh('echo alive'))).stdout).toBe('alive\n');
  events.close();
});
