import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ControlPlane } from '../control/control-plane.js';
import { envdPort } from '../control/knock.js';
import type { Sandbox } from '../control/sandbox.js';
import type { Sandboxes } from '../control/sandboxes.js';
import { replyError } from '../http/replies.js';
import {
  allowAnyOrigin,
  allowOrigin,
  answerPreflight,
  isEnvdPreflight,
  isFilesPath,
  isPreflight,
} from './cors.js';
import { answerEnvd, findBySignature } from './envd-face.js';
import type { RequestListener } from './http-server.js';
import { answerPort, type Forward } from './port-face.js';
import { forwardToService } from './port-proxy.js';
import { forwardUpgrade } from './port-upgrade.js';
import { ProxyError, portClosed, replyProxyError } from './proxy-error.js';
import { routeOf, type SandboxRoute } from './request-route.js';
import { reachSandbox } from './sandbox-access.js';

export interface ListenerOptions {
  readonly sandboxes: Sandboxes;
  readonly api: ControlPlane;
  readonly port: number;
  /** Whose pages may use the control plane. */
  readonly origins: readonly string[];
  /** Whether the sandboxes have this machine's network, and not one of their own. */
  readonly sharesNetwork: boolean;
}

/** Decides what a request is for, and whether whoever sends it may. */
export function requestListener(options: ListenerOptions): RequestListener {
  const { sandboxes, api, port, origins, sharesNetwork } = options;
  const withSandbox = async (
    request: IncomingMessage,
    response: ServerResponse,
    route: SandboxRoute,
    use: (sandbox: Sandbox) => void | Promise<void>,
  ): Promise<void> => {
    try {
      await use(await reachSandbox(sandboxes, request, route));
    } catch (error) {
      if (!(error instanceof ProxyError)) throw error;
      replyProxyError(request, response, error);
    }
  };

  const withPort = (
    request: IncomingMessage,
    response: ServerResponse,
    route: SandboxRoute,
    forward: Forward,
  ): Promise<void> =>
    withSandbox(request, response, route, (sandbox) => {
      // Passed on to itself, a request would go round for ever.
      if (sharesNetwork && route.port === port) throw portClosed(sandbox.id, port);
      return answerPort(request, response, sandbox, route.port, forward);
    });

  const answerFiles = (request: IncomingMessage, response: ServerResponse): void => {
    allowAnyOrigin(request, response);
    const sandbox = findBySignature(request, sandboxes);
    if (sandbox) answerEnvd(request, response, sandbox);
    else replyError(response, 401, 'this signature fits no running sandbox, or has expired');
  };

  const answerControl = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { origin } = request.headers;
    if (origin !== undefined && !origins.includes(origin)) {
      const advice = `start the local server with it in 'origins' (--origin ${origin})`;
      replyError(response, 403, `web pages of ${origin} may not use the control plane: ${advice}`);
      return;
    }
    if (origin !== undefined) allowOrigin(origin, response);
    if (isPreflight(request)) answerPreflight(request, response);
    else await api(request, response);
  };

  return {
    async answer(request, response) {
      const route = routeOf(request, port);
      if (route.face === 'refused') {
        replyError(response, route.status, route.message);
      } else if (isEnvdPreflight(request, route)) {
        allowAnyOrigin(request, response);
        answerPreflight(request, response);
      } else if (route.face === 'control') {
        if (isFilesPath(request.url)) answerFiles(request, response);
        else await answerControl(request, response);
      } else if (route.port === envdPort) {
        allowAnyOrigin(request, response);
        await withSandbox(request, response, route, (sandbox) => answerEnvd(request, response, sandbox));
      } else {
        await withPort(request, response, route, forwardToService);
      }
    },

    mayUpgrade(request) {
      const route = routeOf(request, port);
      return route.face === 'sandbox' && route.port !== envdPort;
    },

    async answerUpgrade(request, response, early) {
      const route = routeOf(request, port);
      if (route.face !== 'sandbox') return;
      await withPort(request, response, route, (connection, asked, answer, mask, onFailure) =>
        forwardUpgrade(connection, asked, answer, early, mask, onFailure),
      );
    },
  };
}
