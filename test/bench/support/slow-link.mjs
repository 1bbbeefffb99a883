import { connect, createServer } from 'node:net';

/**
 * A link to a port of this machine that takes its time in each direction, and that can be cut.
 * @param {number} port
 * @param {number} oneWayMs
 */
export async function openSlowLink(port, oneWayMs) {
  const pairs = new Set();
  let isDown = false;
  const server = createServer((client) => {
    if (isDown) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(port, '127.0.0.1');
    const pair = [client, upstream];
    pairs.add(pair);
    for (const [from, to] of [pair, [upstream, client]]) {
      from.setNoDelay(true);
      from.on('error', () => undefined);
      from.on('data', (data) => setTimeout(() => to.writable && to.write(data), oneWayMs));
      from.on('close', () => {
        pairs.delete(pair);
        setTimeout(() => to.destroy(), oneWayMs);
      });
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: server.address().port,
    /** Breaks what there is, and refuses what comes. */
    down() {
      isDown = true;
      for (const [client, upstream] of pairs) {
        client.resetAndDestroy();
        upstream.destroy();
      }
    },
    up() {
      isDown = false;
    },
    async close() {
      this.down();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
