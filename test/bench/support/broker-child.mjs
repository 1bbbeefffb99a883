import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { createNodeBroker } from 'e2b-edge/broker/node';

// A broker on Node, and beside it the least that a hop can be: both take a request and make it again by `fetch`.
const { apiKey, apiUrl, sandboxUrl, signingKey, sandboxId, hop } = JSON.parse(process.argv[2]);
const broker = createNodeBroker({
  apiKey,
  apiUrl,
  sandboxUrl,
  signingKeys: { current: signingKey },
  origins: ['https://app.example'],
  limits: { mintsPerMinute: 1000 },
  authorize: (request) => ({
    subject: request.headers.get('x-subject') ?? 'ann',
    sandbox: { id: sandboxId, keepAlive: false },
    grants: {
      files: [
        { op: 'read', prefix: '/' },
        { op: 'write', prefix: '/' },
      ],
      commands: 'run',
      pty: 'write',
    },
  }),
});
const servers = [createServer(broker.handleRequest), createServer(passOn)];
servers[0].on('upgrade', broker.handleUpgrade);
for (const server of servers) await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const [url, hopUrl] = servers.map((server) => `http://127.0.0.1:${server.address().port}`);
process.send({ url, hopUrl });
process.on('message', () => process.send({ cpu: process.cpuUsage(), memory: process.memoryUsage().rss }));

async function passOn(request, response) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const answer = await fetch(`${sandboxUrl}${request.url}`, {
    method: request.method,
    headers: { ...hop, 'content-type': request.headers['content-type'] },
    body: Buffer.concat(chunks),
  });
  response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') });
  Readable.fromWeb(answer.body).pipe(response);
}
