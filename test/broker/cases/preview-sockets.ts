/** WebSockets of pages to an app in a sandbox. */

import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import type { BrokerStage } from '../broker-stage.js';
import { pageOrigin } from '../host/setup.js';
import { type OpenPreview, openPreview, places } from '../open-preview.js';

interface OpenSocket {
  socket: WebSocket;
  /** What the app saw of the handshake. */
  seen: { url: string; headers: Record<string, string> };
  next(): Promise<string>;
}

export function previewSockets(stage: BrokerStage): void {
  describe.each(places)("a preview's WebSocket %s", (_place, name) => {
    const isBelowPath = name === 'stored';

    function dial(url: string, protocols: string[], options: ClientOptions): WebSocket {
      const { host, pathname, search } = new URL(url);
      const address = stage.host.url.replace('http', 'ws') + pathname + search;
      return new WebSocket(address, protocols, {
        ...options,
        headers: { host, ...options.headers },
        // As browsers write it: Deno knows no list without spaces.
        finishRequest(request) {
          if (protocols.length > 0) request.setHeader('sec-websocket-protocol', protocols.join(', '));
          request.end();
        },
      });
    }

    async function open(
      url: string,
      headers: Record<string, string>,
      origin: string,
      protocols = ['app.v1', 'app.v2'],
    ): Promise<OpenSocket> {
      const socket = dial(url, protocols, { headers, origin });
      const messages: string[] = [];
      let waiting = (): void => undefined;
      socket.on('message', (data: Buffer, isBinary) => {
        messages.push(isBinary ? `binary ${data.length}` : data.toString());
        waiting();
      });
      const next = async (): Promise<string> => {
        while (messages.length === 0) {
          await new Promise<void>((resolve, reject) => {
            waiting = resolve;
            socket.once('close', (code: number) => reject(new Error(`closed with ${code}`)));
          });
        }
        return messages.shift() as string;
      };
      await once(socket, 'open');
      return { socket, seen: JSON.parse(await next()) as OpenSocket['seen'], next };
    }

    function status(url: string, headers: Record<string, string>, origin: string): Promise<string> {
      const socket = dial(url, [], { headers, origin });
      return new Promise((resolve, reject) => {
        socket.once('open', () => reject(new Error('it was accepted')));
        socket.once('error', (error) => resolve(error.message));
      });
    }

    const ownOrigin = ({ url }: OpenPreview): string => (isBelowPath ? 'null' : new URL(url).origin);

    test('speaks both ways, by the protocol that the app takes', async () => {
      const preview = await openPreview(stage, name);
      const { cookie, url } = preview;
      const opened = await open(`${url}socket?x=1`, { cookie: `${cookie}; a=1` }, ownOrigin(preview));
      const { socket, seen, next } = opened;
      expect(socket.protocol).toBe('app.v1');
      expect(seen.url).toBe('/socket?x=1');
      expect(seen.headers.origin).toBe(`http://${seen.headers.host}`);
      expect(seen.headers.cookie).toBe(isBelowPath ? undefined : 'a=1');
      socket.send('hello');
      expect(await next()).toBe('hello');
      socket.send(Buffer.alloc(300_000, 1));
      expect(await next()).toBe('binary 300000');
      socket.send('close');
      expect(await once(socket, 'close')).toMatchObject([4001, Buffer.from('enough')]);
    });

    test('is opened by a session’s token among its protocols, which the app does not see', async () => {
      const { session } = await openPreview(stage, name);
      const url = `${stage.at(name).url}/ports/${session.sandboxId}/3000/socket`;
      const protocols = [`e2b-edge.bearer.${session.token}`, 'app.v1'];
      const { socket, seen } = await open(url, {}, pageOrigin, protocols);
      expect(seen.headers['sec-websocket-protocol']).toBe('app.v1');
      expect(JSON.stringify(seen)).not.toContain(session.token);
      socket.terminate();
    });

    test('is opened for no other site, nor without the cookie', async () => {
      const preview = await openPreview(stage, name);
      const { cookie, url } = preview;
      const socket = `${url}socket`;
      expect(await status(socket, { cookie }, 'https://evil.example')).toContain('403');
      if (!isBelowPath) expect(await status(socket, { cookie }, 'null')).toContain('403');
      expect(await status(socket, {}, ownOrigin(preview))).toContain('401');
      expect(await status(`${url}elsewhere`, { cookie }, ownOrigin(preview))).toContain('502');
      const refused = (await stage.at(name).events()).filter(({ action }) => action === 'preview');
      expect(refused.at(-1)).toMatchObject({ code: 'upgrade_refused', outcome: 'failed', port: 3000 });
    });

    test('is counted', async () => {
      const preview = await openPreview(stage, name);
      const headers = { cookie: preview.cookie };
      const url = `${preview.url}socket`;
      const opened = await Promise.all(
        Array.from({ length: 8 }, () => open(url, headers, ownOrigin(preview))),
      );
      expect(await status(url, headers, ownOrigin(preview))).toContain('429');
      for (const { socket } of opened) socket.close();
      await expect
        .poll(async () => {
          const again = await open(url, headers, ownOrigin(preview)).catch(() => undefined);
          again?.socket.close();
          return again !== undefined;
        })
        .toBe(true);
    });
  });
}
