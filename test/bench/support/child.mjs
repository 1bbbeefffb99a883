import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * A script of this folder in a process of its own, so that what is measured of it is not the benchmark's. It sends one
 * message when it is ready, and one for each question.
 * @param {string} script
 * @param {object} options handed to it as JSON
 */
export async function startChild(script, options) {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = fork(path, [JSON.stringify(options)]);
  const replies = [];
  child.on('message', (message) => replies.shift()?.(message));
  const reply = () => new Promise((resolve) => replies.push(resolve));
  const failed = new Promise((_, reject) => child.once('exit', () => reject(new Error(`${script} ended`))));
  const ready = await Promise.race([reply(), failed]);
  // It ends at last.
  failed.catch(() => undefined);
  return {
    ...ready,
    pid: child.pid,
    ask(question) {
      const answer = reply();
      child.send(question);
      return answer;
    },
    async close() {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill();
      await exited;
    },
  };
}
