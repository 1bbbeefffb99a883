import type { LocalServer } from '../../../../src/local/local-server.js';
import { stream } from './rpc.js';
import type { Created } from './server.js';

/** Node's own path, or where a sandbox sees it when that is not below /usr. */
const node = process.execPath.startsWith('/usr/') ? process.execPath : '/run/e2b-edge/node';

/** Runs a Node program in the sandbox until the file's end, and resolves when it has printed something. */
export async function startService(server: LocalServer, sandbox: Created, source: string): Promise<void> {
  const events = await stream(server, sandbox, 'process.Process/Start', {
    process: { cmd: node, args: ['--input-type=module', '-e', source] },
    stdin: false,
  });
  for (;;) {
    const message = await events.next();
    if (message === undefined || message.event.end) throw new Error('the service ended');
    const { stdout, stderr } = message.event.data ?? {};
    if (stderr) throw new Error(Buffer.from(stderr, 'base64').toString());
    if (stdout) return;
  }
}

/** The Host of a port of a sandbox. */
export function portHost(server: LocalServer, sandbox: Created, port: number): string {
  return `${port}-${sandbox.sandboxID}.localhost:${server.port}`;
}

/** A service with a path for each thing that HTTP can do. It prints a line when it listens. */
export function webService(port: number, host: string): string {
  return `
import { createServer } from 'node:http';
import { createHash } from 'node:crypto';
const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://x');
  switch (pathname) {
    case '/echo':
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      request.pipe(response);
      break;
    case '/about': {
      let body = '';
      request.on('data', (chunk) => { body += chunk; });
      request.on('end', () => {
        const { method, url, rawHeaders, rawTrailers } = request;
        response.end(JSON.stringify({ method, url, rawHeaders, rawTrailers, body }));
      });
      break;
    }
    case '/digest': {
      const hash = createHash('sha256');
      let length = 0;
      request.on('data', (chunk) => { hash.update(chunk); length += chunk.length; });
      request.on('end', () => response.end(JSON.stringify({ length, digest: hash.digest('hex') })));
      break;
    }
    case '/big': {
      const chunk = Buffer.alloc(1 << 16, 'x');
      let left = 512;
      const more = () => {
        while (left-- > 0) if (!response.write(chunk)) return response.once('drain', more);
        response.end();
      };
      more();
      break;
    }
    case '/events':
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: one\\n\\n');
      response.once('close', () => { left = true; });
      break;
    case '/left':
      response.end(String(left));
      break;
    case '/twice':
      response.writeHead(203, 'Fine Too', [['Set-Cookie', 'a=1'], ['Set-Cookie', 'b=2'], ['Connection', 'x-secret'], ['X-Secret', '1']].flat());
      response.end('twice');
      break;
    case '/trailers':
      response.writeHead(200, { trailer: 'X-Sum' });
      response.write('body');
      response.addTrailers({ 'x-sum': '42' });
      response.end();
      break;
    case '/early':
      response.writeHead(413).end('too large');
      break;
    case '/cut':
      response.writeHead(200, pathname && request.headers['x-length'] ? { 'content-length': '1000' } : {});
      response.write('half');
      setTimeout(() => request.socket.resetAndDestroy(), 100);
      break;
    default:
      response.writeHead(404).end('no such path');
  }
});
let left = false;
server.on('upgrade', (request, socket, head) => {
  if (request.url === '/no') {
    socket.end('HTTP/1.1 403 Forbidden\\r\\nContent-Length: 2\\r\\n\\r\\nno');
    return;
  }
  const key = createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: ' + request.headers.upgrade + '\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: ' + key + '\\r\\n\\r\\n');
  const isWebSocket = request.headers.upgrade === 'websocket';
  socket.write(head);
  let pending = head;
  socket.on('data', (chunk) => {
    if (!isWebSocket) return socket.write(chunk);
    pending = Buffer.concat([pending, chunk]);
    for (;;) {
      const short = pending.length > 1 ? pending[1] & 127 : 0;
      const start = short === 127 ? 10 : short === 126 ? 4 : 2;
      if (pending.length < start) return;
      const length = short === 127 ? Number(pending.readBigUInt64BE(2)) : short === 126 ? pending.readUInt16BE(2) : short;
      const end = start + 4 + length;
      if (pending.length < end) return;
      const payload = pending.subarray(start + 4, end).map((byte, i) => byte ^ pending[start + (i & 3)]);
      const header = Buffer.from(pending.subarray(0, start));
      header[1] &= 127;
      socket.write(Buffer.concat([header, payload]));
      pending = pending.subarray(end);
    }
  });
  socket.on('end', () => socket.end('bye'));
  socket.on('error', () => {});
});
server.listen(${port}, '${host}', () => console.log('listening'));
`;
}
