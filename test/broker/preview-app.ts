/** A web app for previews, as it runs in a sandbox, with what a hostile one would try. */

import type { Sandbox } from 'e2b-edge/browser';

/** Starts the app at a port of the sandbox, and resolves once it listens. */
export async function startPreviewApp(sandbox: Sandbox, port = 3000): Promise<void> {
  await sandbox.files.write('/home/user/app.mjs', source);
  const app = await sandbox.commands.run(`exec node app.mjs ${port}`, { background: true, timeoutMs: 0 });
  for await (const event of app) {
    if (event.type === 'stdout') return;
    throw new Error(`The app said: ${JSON.stringify(event)}`);
  }
}

/** Without a package: a WebSocket echoes its messages, after one with what it saw of the handshake. */
const source = String.raw`
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';

const port = Number(process.argv[2]);
const page = '<!doctype html><title>App</title><link rel="stylesheet" href="style.css"><h1>It runs</h1><p id="said"></p>' +
  '<p id="socket"></p><form action="login" method="post"><input name="name" value="ann"><button>Log in</button></form>' +
  '<img src="dot.svg"><script src="classic.js"></script><script type="module" src="/module.js"></script>';
const files = {
  '/': ['text/html', page],
  '/style.css': ['text/css', 'h1 { color: rgb(1, 2, 3) }'],
  '/dot.svg': ['image/svg+xml', '<svg xmlns="http://www.w3.org/2000/svg" width="7" height="7"><circle r="7"/></svg>'],
  '/classic.js': ['text/javascript', 'said.textContent = "classic";' +
    'const socket = new WebSocket(location.href.replace(/^http/, "ws") + "socket", "app.v1");' +
    'socket.onmessage = ({ data }) => { window.socketSaid = data; document.getElementById("socket").textContent = "hot"; };'],
  '/module.js': ['text/javascript', 'window.moduleRan = true; window.apiSaid = (await (await fetch("/about")).json()).method'],
};
const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://app');
  const cookies = request.headers.cookie ?? '';
  if (pathname in files) {
    response.writeHead(200, { 'content-type': files[pathname][0], 'cache-control': 'public, max-age=60' });
    response.end(files[pathname][1]);
  } else if (pathname === '/login') {
    const set = ['sid=s3cret; Path=/; HttpOnly; SameSite=Lax; Domain=' + request.headers.host.split(':')[0], 'plain=1'];
    response.writeHead(303, { 'set-cookie': set, location: '/me' }).end();
  } else if (pathname === '/me') {
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end('<h1>' + (cookies.includes('sid=s3cret') ? 'Hello ann' : 'Who are you?') + '</h1>');
  } else if (pathname === '/hostile') {
    response.writeHead(200, {
      'content-security-policy': "default-src *; frame-ancestors *; sandbox allow-same-origin",
      'x-frame-options': 'DENY',
      'set-cookie': ['__Host-e2b-preview=forged; Secure; Path=/', '__Secure-e2b-preview=forged; Secure; Path=/'],
      'service-worker-allowed': '/',
      'clear-site-data': '"*"',
      'strict-transport-security': 'max-age=1000',
      'e2b-traffic-access-token': 'echoed',
      'alt-svc': 'h2="evil.example:443"',
      'content-type': 'text/html',
    });
    response.end('hostile');
  } else if (pathname === '/to') {
    response.writeHead(302, { location: new URL(request.url, 'http://app').searchParams.get('location') }).end();
  } else if (pathname === '/events') {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: one\n\n');
    response.once('close', () => { left = true; });
  } else if (pathname === '/left') {
    response.end(String(left));
  } else if (pathname === '/digest') {
    const hash = createHash('sha256');
    request.on('data', (chunk) => hash.update(chunk));
    request.on('end', () => response.end(hash.digest('hex')));
  } else if (pathname === '/big') {
    let left = 256;
    const more = () => {
      while (left-- > 0) if (!response.write(Buffer.alloc(65536, 'x'))) return response.once('drain', more);
      response.end();
    };
    more();
  } else if (pathname === '/broken') {
    response.writeHead(502, { 'content-type': 'application/json' }).end('{"message":"my own"}');
  } else {
    let body = '';
    request.on('data', (chunk) => { body += chunk; });
    request.on('end', () => {
      const { method, url, headers } = request;
      response.writeHead(200, { 'content-type': 'application/json', 'access-control-allow-origin': '*' });
      response.end(JSON.stringify({ method, url, headers, body }));
    });
  }
});
let left = false;

server.on('upgrade', (request, socket) => {
  socket.on('error', () => {});
  if (!request.url.includes('socket')) return socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
  const accept = createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
  const [protocol] = (request.headers['sec-websocket-protocol'] ?? '').split(',');
  socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSet-Cookie: sock=1\r\nSec-WebSocket-Accept: ' + accept +
    (protocol ? '\r\nSec-WebSocket-Protocol: ' + protocol : '') + '\r\n\r\n');
  const send = (opcode, payload) => {
    const size = payload.length;
    const head = size < 126 ? [size] : size < 65536 ? [126, size >> 8, size & 255] : [127, 0, 0, 0, 0, size >>> 24, (size >> 16) & 255, (size >> 8) & 255, size & 255];
    socket.write(Buffer.concat([Buffer.from([128 | opcode, ...head]), payload]));
  };
  send(1, Buffer.from(JSON.stringify({ url: request.url, headers: request.headers })));
  let pending = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    for (;;) {
      const short = pending.length > 1 ? pending[1] & 127 : 0;
      const start = short === 127 ? 10 : short === 126 ? 4 : 2;
      if (pending.length < start + 4) return;
      const length = short === 127 ? Number(pending.readBigUInt64BE(2)) : short === 126 ? pending.readUInt16BE(2) : short;
      const end = start + 4 + length;
      if (pending.length < end) return;
      const payload = Buffer.from(pending.subarray(start + 4, end).map((byte, i) => byte ^ pending[start + (i & 3)]));
      const opcode = pending[0] & 15;
      pending = pending.subarray(end);
      if (opcode === 1 && payload.toString() === 'close') send(8, Buffer.from([4001 >> 8, 4001 & 255, ...Buffer.from('enough')]));
      else if (opcode === 8) { send(8, payload); return socket.end(); }
      else if (opcode < 3) send(opcode, payload);
    }
  });
});
server.listen(port, '127.0.0.1', () => console.log('listening'));
`;
