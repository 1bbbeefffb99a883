import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type PreviewSocket, upgradeRefused } from '../../broker/previews/preview-socket.js';
import { holdPreview } from '../hold-preview.js';

/** What both ends of a WebSocket agree on by themselves. */
const handshake = /^sec-websocket-(accept|extensions|protocol)$/i;

/**
 * Opens a preview's WebSocket to the app, and joins the connections as they are: frames, compression and the pace of who
 * reads are between page and app. Rejects when the app does not take it; the page's socket is untouched then.
 */
export function pipePreview(
  preview: PreviewSocket,
  message: IncomingMessage,
  page: Duplex,
  head: Buffer,
): Promise<void> {
  const sent = askUpgrade(preview, message);
  return new Promise((resolve, reject) => {
    const onGone = (): void => {
      sent.destroy();
    };
    page.once('close', onGone);
    sent.once('upgrade', (answer, app, early) => {
      page.off('close', onGone);
      page.write(switchingHead(answer));
      page.write(early);
      app.write(head);
      join(page, app, preview);
      resolve();
    });
    sent.once('response', (answer) => {
      answer.destroy();
      reject(upgradeRefused(preview.port, new Error(`HTTP ${answer.statusCode}`)));
    });
    sent.once('error', (error) => reject(upgradeRefused(preview.port, error)));
    sent.end();
  });
}

function askUpgrade({ url, headers, protocols }: PreviewSocket, message: IncomingMessage): ClientRequest {
  const offered: Record<string, string> = {
    ...headers,
    connection: 'Upgrade',
    upgrade: 'websocket',
    ...(protocols.length > 0 && { 'sec-websocket-protocol': protocols.join(', ') }),
  };
  for (const name of ['sec-websocket-key', 'sec-websocket-version', 'sec-websocket-extensions']) {
    const value = message.headers[name];
    if (typeof value === 'string') offered[name] = value;
  }
  const request = url.startsWith('https:') ? requestHttps : requestHttp;
  // A connection of its own: it is not given back.
  return request(url, { headers: offered, agent: false });
}

function switchingHead({ rawHeaders }: IncomingMessage): string {
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = '', value = ''] = rawHeaders.slice(index, index + 2);
    if (handshake.test(name)) lines.push(`${name}: ${value}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function join(page: Duplex, app: Duplex, preview: PreviewSocket): void {
  const letGo = holdPreview(preview, () => {
    page.destroy();
    app.destroy();
  });
  for (const [end, other] of [
    [page, app],
    [app, page],
  ] as const) {
    // Each error is followed by a close.
    end.on('error', () => undefined);
    end.once('close', () => {
      letGo();
      endSoon(other);
    });
  }
  page.pipe(app).pipe(page);
}

/** Once it has taken what was written: the last frame says why. */
function endSoon(end: Duplex): void {
  const { destroySoon } = end as Partial<Socket>;
  if (destroySoon) destroySoon.call(end);
  else end.destroy();
}
