import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { createRelay } from '../../../dist/relay/relay.js';
import { SyntheticTerminal, synthetic } from './synthetic-terminal.mjs';

// A relay whose terminals print a number of bytes as fast as they are read, and beside it the least that a relay of
// WebSockets can be. `?bytes=` says how many; a terminal of the relay starts at the first input.
const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
const relay = createRelay({
  authorize: async (token, sandboxId) => ({
    sandboxId,
    sessionId: token,
    subject: token,
    mode: 'write',
    watch: () => () => undefined,
    open: async () => new SyntheticTerminal(Number(sandboxId)),
  }),
});
const server = createServer();
server.on('upgrade', (request, socket, head) => {
  const [, way, bytes] = request.url.split('/');
  sockets.handleUpgrade(request, socket, head, (ws) => {
    if (way === 'relay') relay.accept(relaySocket(ws), bytes);
    else void passOn(ws, Number(bytes));
  });
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
process.send({ port: server.address().port });
process.on('message', () => process.send({ cpu: process.cpuUsage(), memory: process.memoryUsage().rss }));

/** No offsets, no history, no acknowledgements: bytes as they come, held back by the socket alone. */
async function passOn(ws, bytes) {
  await new Promise((resolve) => ws.once('message', resolve));
  for (const chunk of synthetic(bytes)) {
    const flushed = new Promise((resolve) => ws.send(chunk, resolve));
    if (ws.bufferedAmount > 256 * 1024) await flushed;
  }
}

function relaySocket(ws) {
  const socket = {
    send: (data) => ws.readyState === ws.OPEN && ws.send(data),
    close: (code, reason) => ws.close(code, reason),
    bufferedAmount: () => ws.bufferedAmount,
    onMessage: () => undefined,
    onClose: () => undefined,
  };
  ws.on('message', (data, binary) => socket.onMessage(binary ? data : data.toString()));
  ws.on('close', () => socket.onClose());
  ws.on('error', () => undefined);
  return socket;
}
