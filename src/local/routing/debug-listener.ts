import type { IncomingMessage, ServerResponse } from 'node:http';
import { envdPort } from '../control/knock.js';
import { replyError } from '../http/replies.js';
import { allowAnyOrigin, answerPreflight, isPreflight } from './cors.js';
import type { DebugMachine } from './debug-machine.js';
import { forward } from './envd-proxy.js';
import type { RequestListener } from './http-server.js';
import { ProxyError, replyProxyError } from './proxy-error.js';
import { isOwnHost, notServed } from './request-route.js';
import { refuseInternal } from './sandbox-access.js';

/**
 * The one envd of the SDKs' debug mode. It asks for no token, so it answers programs of this machine, and web pages
 * only where they are listed: any other could use it.
 */
export function debugListener(debug: DebugMachine, origins: readonly string[]): RequestListener {
  return {
    async answer(request, response) {
      if (!isOwnHost(request, envdPort)) {
        const { status, message } = notServed(request, envdPort);
        replyError(response, status, message);
        return;
      }
      if (isForeignPage(request, origins)) {
        const who = request.headers.origin ?? 'another site';
        replyError(
          response,
          403,
          `web pages of ${who} may not use the debug sandbox: list them in 'origins'`,
        );
        return;
      }
      allowAnyOrigin(request, response);
      // For what a page loads without asking, such as an image.
      response.setHeader('cross-origin-resource-policy', 'same-origin');
      if (isPreflight(request)) answerPreflight(request, response);
      else await answerEnvd(request, response, debug);
    },
    mayUpgrade: () => false,
    answerUpgrade: async () => {},
  };
}

async function answerEnvd(
  request: IncomingMessage,
  response: ServerResponse,
  debug: DebugMachine,
): Promise<void> {
  try {
    refuseInternal(request);
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    replyProxyError(request, response, error);
    return;
  }
  forward(await debug.get(), request, response, () => {
    replyError(response, 502, 'the debug sandbox has just ended: try again, and another is there');
  });
}

/** Browsers name the page's origin where a script asks, and otherwise at least say that another site does. */
function isForeignPage({ headers }: IncomingMessage, origins: readonly string[]): boolean {
  const { origin, 'sec-fetch-site': site } = headers;
  if (origin !== undefined) return !origins.includes(origin);
  return site !== undefined && site !== 'none' && site !== 'same-origin';
}
