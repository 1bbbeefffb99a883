/** A response of the web, written to `node:http`. */

import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

/**
 * Writes head and body, at the pace at which they are taken. Stops, and cancels the body, when the caller is gone.
 * Never rejects: nobody would listen, and that ends the process.
 */
export async function writeNodeResponse(response: Response, to: ServerResponse): Promise<void> {
  if (to.destroyed) {
    // The caller's going has broken off the body as well, as a rule; cancelling it rejects then.
    await response.body?.cancel().catch(() => undefined);
    return;
  }
  // Each error is followed by a close.
  to.on('error', () => undefined);
  to.writeHead(response.status, headList(response.headers));
  if (!response.body) {
    to.end();
    return;
  }
  // What is at hand goes out with the headers. Those of a stream tell that it is open, and do not wait for its first byte.
  to.cork();
  const opening = setImmediate(() => {
    to.flushHeaders();
    to.uncork();
  });
  const reader = response.body.getReader();
  const gone = new Promise((resolve) => to.once('close', resolve)).then(() =>
    reader.cancel().catch(() => undefined),
  );
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || to.destroyed) break;
      if (!to.write(value)) await Promise.race([once(to, 'drain').catch(() => undefined), gone]);
    }
    to.end();
  } catch {
    // The body broke off: so must the answer, or it would look whole. What came before goes out.
    if (to.writableCorked > 0) to.uncork();
    to.destroy();
  } finally {
    clearImmediate(opening);
  }
}

function headList(headers: Headers): Record<string, string | string[]> {
  const list: Record<string, string | string[]> = Object.fromEntries(headers);
  const cookies = headers.getSetCookie();
  if (cookies.length > 0) list['set-cookie'] = cookies;
  return list;
}
