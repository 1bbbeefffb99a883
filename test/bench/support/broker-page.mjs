import { randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';

const agent = new Agent({ keepAlive: true, maxSockets: 2000 });

/** A session of a broker: where its envd is, and the headers of a call. */
export async function mintSession(url, subject = 'ann') {
  const answer = await fetch(`${url}/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-subject': subject },
    body: '{}',
  });
  if (answer.status !== 201) throw new Error(await answer.text());
  const { token, urls } = await answer.json();
  return { url: `${url}${urls.envd}`, headers: { authorization: `Bearer ${token}` } };
}

/**
 * A stream of a command, on a connection of its own.
 * @param {(bytes: number) => void} onData
 */
export function openStream({ url, headers }, onData) {
  const message = '{"process":{"cmd":"true"}}';
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return new Promise((resolve, reject) => {
    const call = request(`${url}/process.Process/Start`, {
      method: 'POST',
      agent,
      headers: { ...headers, 'content-type': 'application/connect+json' },
    });
    call.once('error', reject);
    call.once('response', (response) => {
      if (response.statusCode !== 200) reject(new Error(`HTTP ${response.statusCode}`));
      const ended = new Promise((done) => response.once('close', done));
      response.on('data', (chunk) => onData(chunk.length));
      resolve({ ended, isOpen: () => !response.closed, close: () => call.destroy() });
    });
    call.end(Buffer.concat([head, Buffer.from(message)]));
  });
}

/** Downloads a file of so many bytes, and keeps nothing of it. */
export function download({ url, headers }, bytes) {
  return new Promise((resolve, reject) => {
    // Miniflare would pack it for a client that takes it so.
    const all = { ...headers, 'accept-encoding': 'identity' };
    const call = request(`${url}/files?path=/${bytes}`, { agent, headers: all }, (response) => {
      let taken = 0;
      response.on('data', (chunk) => {
        taken += chunk.length;
      });
      response.once('close', () =>
        taken === bytes ? resolve() : reject(new Error(`${taken} of ${bytes} bytes`)),
      );
    });
    call.once('error', reject);
    call.end();
  });
}

/** Uploads a file of so many bytes. */
export function upload({ url, headers }, bytes) {
  const piece = randomBytes(64 * 1024);
  return new Promise((resolve, reject) => {
    const all = { ...headers, 'content-type': 'application/octet-stream', 'content-length': bytes };
    const call = request(
      `${url}/files?path=/x`,
      { method: 'POST', agent, headers: all },
      async (response) => {
        let text = '';
        for await (const chunk of response) text += chunk;
        if (text.includes(`"bytes":${bytes}`)) resolve();
        else reject(new Error(text));
      },
    );
    call.once('error', reject);
    let left = bytes;
    const write = () => {
      while (left > 0) {
        const part = left < piece.length ? piece.subarray(0, left) : piece;
        left -= part.length;
        if (!call.write(part)) {
          call.once('drain', write);
          return;
        }
      }
      call.end();
    };
    write();
  });
}
