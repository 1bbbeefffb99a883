/** Streams through the hosts: at the pace of who reads them, and ended where they are left. */

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Session } from 'e2b-edge/broker';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { bearer } from '../broker-client.js';
import type { BrokerStage } from '../broker-stage.js';

const piece = Buffer.alloc(64 * 1024);
/** More than all buffers on the way can hold together. */
const pieces = 2048;
/** How often memory is looked at. */
const sampleBytes = 8 * 1024 * 1024;

const start = { 'content-type': 'application/connect+proto' };

function envelope(data: Uint8Array): Buffer<ArrayBuffer> {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(data.length, 1);
  return Buffer.concat([head, data]);
}

// StartRequest { process { cmd: "x" } }
const startRequest = envelope(new Uint8Array([0x0a, 3, 0x0a, 1, 0x78]));

/** Whether a count came to rest before it was done: nothing is written any more, and not because all is. */
async function restsBelow(count: () => number, total: number): Promise<boolean> {
  let last = -1;
  await vi.waitFor(
    () => {
      const now = count();
      const rests = now === last || now >= total;
      last = now;
      if (!rests || now === 0) throw new Error('it still grows');
    },
    { interval: 500, timeout: 30_000 },
  );
  return last < total;
}

/** What a process has in memory. */
async function residentBytes(pid: number): Promise<number> {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

export function streams(stage: BrokerStage): void {
  let session: Session;
  let path: string;
  beforeAll(async () => {
    session = await stage.at('scripted').session();
    path = `/envd/${session.sandboxId}`;
  });

  /** Takes over the next request of a path upstream. */
  function takeOver(path: string): Promise<{ request: IncomingMessage; response: ServerResponse }> {
    return new Promise((resolve) => {
      stage.scripted.onRaw = (request, response) => {
        if (!request.url?.startsWith(path)) return false;
        stage.scripted.onRaw = undefined;
        resolve({ request, response });
        return true;
      };
    });
  }

  const begin = (signal: AbortSignal): Promise<Response> =>
    stage.at('scripted').fetch(`${path}/process.Process/Start`, {
      method: 'POST',
      headers: { ...bearer(session), ...start },
      body: startRequest,
      signal,
    });

  describe('a stream', () => {
    const noWrite =
      'workerd learns that nobody listens when it next writes, and here it has nothing to write';
    const unlessWorkerd = (name: string, run: () => Promise<void>): void =>
      stage.runtime === 'workerd' ? test.skip(`${name} (skipped: ${noWrite})`) : test(name, run);

    unlessWorkerd('that is left before its first byte ends upstream', async () => {
      const upstream = takeOver('/process.Process/Start');
      const controller = new AbortController();
      const answer = begin(controller.signal).catch(() => undefined);
      const { response } = await upstream;
      const closed = once(response, 'close');
      controller.abort();
      await answer;
      await closed;
    });

    test('that is left ends upstream', async () => {
      const upstream = takeOver('/process.Process/Start');
      const controller = new AbortController();
      const answer = begin(controller.signal);
      const { response } = await upstream;
      response.writeHead(200, start);
      // workerd learns that nobody listens when it next writes; envd says something at least every 50 s.
      const talk = setInterval(() => response.write(envelope(new Uint8Array())), 20);
      const closed = once(response, 'close').finally(() => clearInterval(talk));
      await (await answer).body?.getReader().read();
      controller.abort();
      await closed;
    });

    unlessWorkerd('that is left while it is silent ends upstream', async () => {
      const upstream = takeOver('/process.Process/Start');
      const controller = new AbortController();
      const answer = begin(controller.signal);
      const { response } = await upstream;
      response.writeHead(200, start);
      response.write(envelope(new Uint8Array()));
      const closed = once(response, 'close');
      await (await answer).body?.getReader().read();
      controller.abort();
      await closed;
    });

    test('that breaks off upstream does not look whole', async () => {
      const upstream = takeOver('/files');
      const answer = stage.at('scripted').fetch(`${path}/files?path=/x`, { headers: bearer(session) });
      const { response } = await upstream;
      response.writeHead(200, {
        'content-type': 'application/octet-stream',
        'content-length': 2 * piece.length,
      });
      response.write(piece);
      const reader = (await answer).body?.getReader();
      await reader?.read();
      response.destroy();
      const readOn = async (): Promise<void> => {
        while (!(await reader?.read())?.done);
      };
      await expect(readOn()).rejects.toThrow();
    });

    test.each(['/files', '/process.Process/Start'])('out of %s waits for who reads it', async (procedure) => {
      const upstream = takeOver(procedure);
      const isFile = procedure === '/files';
      const url = `${stage.at('scripted').url}${path}${procedure}${isFile ? '?path=/x' : ''}`;
      const client = httpRequest(url, {
        method: isFile ? 'GET' : 'POST',
        headers: { ...bearer(session), ...(!isFile && start) },
      });
      client.end(isFile ? undefined : startRequest);
      const { response } = await upstream;
      response.writeHead(200, isFile ? {} : start);
      const closed = once(response, 'close');
      let written = 0;
      const write = async (): Promise<void> => {
        for (; written < pieces && !response.destroyed; written++) {
          const data = isFile ? piece : envelope(piece);
          if (!response.write(data)) await Promise.race([once(response, 'drain'), closed]);
        }
      };
      const writing = write();
      const [answer] = (await once(client, 'response')) as [IncomingMessage];
      answer.pause();
      expect(await restsBelow(() => written, pieces)).toBe(true);
      client.destroy();
      response.destroy();
      await writing;
    });

    test('into a file waits for who writes it', async () => {
      const upstream = takeOver('/files');
      const client = httpRequest(`${stage.at('scripted').url}${path}/files?path=/home/user/x`, {
        method: 'POST',
        headers: { ...bearer(session), 'content-type': 'application/octet-stream' },
      });
      client.on('error', () => undefined);
      let written = 0;
      const write = async (): Promise<void> => {
        for (; written < pieces && !client.destroyed; written++)
          if (!client.write(piece)) await once(client, 'drain');
      };
      void write().catch(() => undefined);
      const { request } = await upstream;
      request.pause();
      expect(await restsBelow(() => written, pieces)).toBe(true);
      client.destroy();
      request.destroy();
    });

    test('of 512 MB passes in flat memory', async () => {
      const total = 512 * 1024 * 1024;
      const upstream = takeOver('/files');
      const answer = stage.at('scripted').fetch(`${path}/files?path=/x`, { headers: bearer(session) });
      const { response } = await upstream;
      response.writeHead(200, { 'content-length': total });
      const write = async (): Promise<void> => {
        for (let sent = 0; sent < total; sent += piece.length)
          if (!response.write(piece)) await once(response, 'drain');
        response.end();
      };
      const writing = write();
      let received = 0;
      let warm: number | undefined;
      let most = 0;
      for await (const chunk of (await answer).body as ReadableStream<Uint8Array>) {
        const before = Math.floor(received / sampleBytes);
        received += chunk.length;
        if (Math.floor(received / sampleBytes) === before) continue;
        most = Math.max(most, await residentBytes(stage.host.pid));
        // What the runtime takes for its own heap in the beginning is not the stream's.
        if (received >= total / 4) warm ??= most;
      }
      await writing;
      expect(received).toBe(total);
      expect(most - (warm ?? 0)).toBeLessThan(total / 8);
    });

    test('that is sent to be refused is answered before it is all there', async () => {
      const request = httpRequest(`${stage.at('scripted').url}${path}/process.Process/List`, {
        method: 'POST',
        headers: { ...bearer(session), 'content-type': 'application/proto' },
      });
      request.on('error', () => undefined);
      request.write(Buffer.alloc(2_000_000));
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      expect(response.statusCode).toBe(413);
      request.destroy();
    });
  });
}
