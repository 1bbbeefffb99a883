import { connect } from 'node:net';

const patienceMs = 20_000;
/** For what a server may wait for, rather than to answer. */
const quietMs = 100;

/**
 * Writes bytes on a connection of its own, and takes all that comes back until it is closed.
 * @param isWhole false ends it after a moment of silence, as no answer need come.
 * @throws where an answer has to come, and none does.
 */
export function exchange(port: number, bytes: Buffer, isWhole: boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    const end = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const wait = (): ReturnType<typeof setTimeout> =>
      isWhole
        ? setTimeout(() => {
            socket.destroy();
            reject(new Error(`it hangs after ${JSON.stringify(answer.slice(0, 300))}`));
          }, patienceMs)
        : setTimeout(end, quietMs);
    let timer = wait();
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
      clearTimeout(timer);
      timer = wait();
    });
    // A server that refuses may close before it has read all.
    socket.on('error', end);
    socket.on('close', end);
    socket.write(bytes);
  });
}
