/** WebSockets of pages to an app in a sandbox. */

import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { BrokerStage } from '../broker-stage.js';
import { pageOrigin } from '../host/setup.js';
import { openPreview, places } from '../open-preview.js';
import { openPreviewSocket, pageOriginOf, refusedPreviewSocket } from '../preview-socket.js';

export function previewSockets(stage: BrokerStage): void {
  describe.each(places)("a preview's WebSocket %s", (_place, name) => {
    const isBelowPath = name === 'stored';

    test('speaks both ways, by the protocol that the app takes', async () => {
      const preview = await openPreview(stage, name);
      const { cookie, url } = preview;
      const opened = await openPreviewSocket(
        stage,
        `${url}socket?x=1`,
        { cookie: `${cookie}; a=1` },
        pageOriginOf(preview),
      );
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
      const { socket, seen } = await openPreviewSocket(stage, url, {}, pageOrigin, protocols);
      expect(seen.headers['sec-websocket-protocol']).toBe('app.v1');
      expect(JSON.stringify(seen)).not.toContain(session.token);
      socket.terminate();
    });

    test('is opened for no other site, nor without the cookie', async () => {
      const preview = await openPreview(stage, name);
      const { cookie, url } = preview;
      const socket = `${url}socket`;
      expect(await refusedPreviewSocket(stage, socket, { cookie }, 'https://evil.example')).toContain('403');
      if (!isBelowPath)
        expect(await refusedPreviewSocket(stage, socket, { cookie }, 'null')).toContain('403');
      expect(await refusedPreviewSocket(stage, socket, {}, pageOriginOf(preview))).toContain('401');
      expect(
        await refusedPreviewSocket(stage, `${url}elsewhere`, { cookie }, pageOriginOf(preview)),
      ).toContain('502');
      const refused = (await stage.at(name).events()).filter(({ action }) => action === 'preview');
      expect(refused.at(-1)).toMatchObject({ code: 'upgrade_refused', outcome: 'failed', port: 3000 });
    });

    test('is counted', async () => {
      const preview = await openPreview(stage, name);
      const headers = { cookie: preview.cookie };
      const url = `${preview.url}socket`;
      const opened = await Promise.all(
        Array.from({ length: 8 }, () => openPreviewSocket(stage, url, headers, pageOriginOf(preview))),
      );
      expect(await refusedPreviewSocket(stage, url, headers, pageOriginOf(preview))).toContain('429');
      for (const { socket } of opened) socket.close();
      await expect
        .poll(async () => {
          const again = await openPreviewSocket(stage, url, headers, pageOriginOf(preview)).catch(
            () => undefined,
          );
          again?.socket.close();
          return again !== undefined;
        })
        .toBe(true);
    });
  });
}
