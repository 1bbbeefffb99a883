/** A response of the web, written to `node:http`. */

import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

/** Writes head and body, at the pace at which they are taken. Stops, and cancels the body, when the caller is gone. */
export async function writeNodeResponse(response: Response, to: ServerResponse): Promise<void> {
  if (to.destroyed) {
    await response.body?.cancel();
    return;
  }
  to.writeHead(response.status, headList(response.headers));
  if (!response.body) {
    to.end();
    return;
  }
  // Headers of a stream tell that it is open; they do not wait for its first byte.
  to.flushHeaders();
  const reader = response.body.getReader();
  const gone = once(to, 'close').then(() => reader.cancel().catch(() => undefined));
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || to.destroyed) break;
      if (!to.write(value)) await Promise.race([once(to, 'drain').catch(() => undefined), gone]);
    }
    to.end();
  } catch {
    // The body broke off: so must the answer, or it would look whole.
    to.destroy();
  }
}

function headList(headers: Headers): Record<string, string | string[]> {
  const list: Record<string, string | string[]> = Object.fromEntries(headers);
  const cookies = headers.getSetCookie();
  if (cookies.length > 0) list['set-cookie'] = cookies;
  return list;
}
