/** Joins the two WebSockets of a preview, message by message, on hosts that do not hand out the connection itself. */

import type { PreviewSocket } from '../broker/previews/preview-socket.js';
import { holdPreview } from './hold-preview.js';
import type { HostSocket } from './host-socket.js';

/** No host lets a socket be read more slowly; one whose other end does not keep up is closed. */
const maxBufferedBytes = 16 * 1024 * 1024;
/** How long a page may take to open its end after the app's is open. */
const openTimeoutMs = 10_000;
/** A session that is over, as terminals say it. */
const sessionOver = 4401;

/**
 * @param app is open. What it says before the page's end is there is kept.
 * @returns what takes the page's end, once that is open.
 */
export function bridgePreview(app: HostSocket, preview: PreviewSocket): (page: HostSocket) => void {
  const early: (Uint8Array | string)[] = [];
  let earlySize = 0;
  let page: HostSocket | undefined;
  let ending: { code: number; reason: string } | undefined;

  function end(code: number, reason: string): void {
    if (ending) return;
    ending = { code, reason };
    letGo();
    clearTimeout(opening);
    app.close(code, reason);
    page?.close(code, reason);
  }
  function pass(to: HostSocket, data: Uint8Array | string): void {
    to.send(data);
    if (to.bufferedAmount() > maxBufferedBytes) end(1000, 'too slow');
  }

  const letGo = holdPreview(preview, () => end(sessionOver, 'session over'));
  const opening = setTimeout(() => end(1000, 'gone'), openTimeoutMs);
  app.onMessage = (data) => {
    if (page) {
      pass(page, data);
      return;
    }
    if (ending) return;
    early.push(data);
    earlySize += data.length;
    if (earlySize > maxBufferedBytes) end(1000, 'too slow');
  };
  app.onClose = (code, reason) => end(sendableCode(code), reason ?? '');

  return (opened) => {
    clearTimeout(opening);
    page = opened;
    page.onMessage = (data) => pass(app, data);
    page.onClose = (code, reason) => end(sendableCode(code), reason ?? '');
    for (const data of early.splice(0)) pass(page, data);
    if (ending) page.close(ending.code, ending.reason);
  };
}

/** What may be said to the other end: of the codes below 3000, only that all is well. */
function sendableCode(code = 1000): number {
  return code >= 3000 && code < 5000 ? code : 1000;
}
