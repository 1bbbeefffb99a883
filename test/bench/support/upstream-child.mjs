import { once } from 'node:events';
import { createServer } from 'node:http';

// A control plane and an envd that does nothing but bytes: `GET /files?path=/SIZE` gives so many, `POST /files` takes all,
// a `Start` is told its process and then what the benchmark asks for, for as long as it listens.
const { sandboxId } = JSON.parse(process.argv[2]);
const record = {
  sandboxID: sandboxId,
  templateID: 'base',
  clientID: 'x',
  envdVersion: '0.6.13',
  envdAccessToken: 'token',
  state: 'running',
};
const piece = Buffer.alloc(64 * 1024, 'x');
const streams = new Set();

const server = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://upstream.test');
  if (pathname.includes('/sandboxes')) {
    request.resume();
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(record));
  } else if (pathname === '/files' && request.method === 'GET') {
    await give(response, Number(searchParams.get('path').slice(1)));
  } else if (pathname === '/files') {
    let bytes = 0;
    for await (const chunk of request) bytes += chunk.length;
    response.writeHead(200, { 'content-type': 'text/plain' }).end(JSON.stringify([{ bytes }]));
  } else {
    request.resume();
    response.writeHead(200, { 'content-type': 'application/connect+json' });
    response.write(envelope('{"event":{"start":{"pid":7}}}'));
    streams.add(response);
    response.once('close', () => streams.delete(response));
  }
});
server.listen(0, '127.0.0.1', () => process.send({ url: `http://127.0.0.1:${server.address().port}` }));

process.on('message', async ({ tick, bytes }) => {
  const all = [...streams];
  if (tick) for (const stream of all) stream.write(envelope('{"event":{"keepalive":{}}}'));
  if (bytes) await Promise.all(all.map((stream) => output(stream, bytes)));
  process.send({ streams: all.length });
});

async function give(response, bytes) {
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes });
  for (let left = bytes; left > 0 && !response.destroyed; left -= piece.length) {
    const isTaken = response.write(left < piece.length ? piece.subarray(0, left) : piece);
    if (!isTaken) await drained(response);
  }
  response.end();
}

async function drained(stream) {
  const over = new AbortController();
  const { signal } = over;
  await Promise.race([once(stream, 'drain', { signal }), once(stream, 'close', { signal })]);
  over.abort();
}

/** So many bytes of output, and the end of the stream. */
async function output(stream, bytes) {
  const message = envelope(JSON.stringify({ event: { data: { stdout: piece.toString('base64') } } }));
  for (let left = bytes; left > 0 && !stream.destroyed; left -= message.length) {
    if (!stream.write(message)) await drained(stream);
  }
  stream.end(envelope('{}', 2));
}

function envelope(text, flags = 0) {
  const bytes = Buffer.alloc(5 + text.length, text.padStart(5 + text.length));
  bytes[0] = flags;
  bytes.writeUInt32BE(text.length, 1);
  return bytes;
}
