import { startLocalServer } from 'e2b-edge/local';

const server = await startLocalServer(JSON.parse(process.argv[2]));
const { apiUrl, sandboxUrl, apiKey, isolation } = server;
process.send({ apiUrl, sandboxUrl, apiKey, isolation });

process.on('message', async (question) => {
  if (question === 'heap') {
    globalThis.gc();
    globalThis.gc();
    process.send(process.memoryUsage().heapUsed);
  } else if (question === 'close') {
    await server.close();
    process.exit(0);
  }
});
