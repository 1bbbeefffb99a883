import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * The local server in a process of its own, so that what is measured of it is not the benchmark's.
 * @param {object} options of `startLocalServer`
 */
export async function startServerProcess(options = {}) {
  const script = fileURLToPath(new URL('server-child.mjs', import.meta.url));
  const child = fork(script, [JSON.stringify(options)], { execArgv: ['--expose-gc'] });
  const replies = [];
  child.on('message', (message) => replies.shift()?.(message));
  const reply = () => new Promise((resolve) => replies.push(resolve));
  const server = await reply();
  const ask = (question) => {
    const answer = reply();
    child.send(question);
    return answer;
  };
  return {
    ...server,
    /** Bytes of the heap in use, after a collection. */
    heapUsed: () => ask('heap'),
    close: async () => {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.send('close');
      await exited;
    },
  };
}
