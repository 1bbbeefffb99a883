import type { IncomingMessage, ServerResponse } from 'node:http';
import { controlPlane } from '../control/control-plane.js';
import type { Sandboxes } from '../control/sandboxes.js';
import { replyError } from '../http/replies.js';
import {
  allowAnyOrigin,
  allowOrigin,
  answerPreflight,
  isFilesPath,
  isPreflight,
  isSandboxPreflight,
} from './cors.js';
import { answerSandbox, findBySignature } from './envd-face.js';
import { envdPort, routeOf } from './request-route.js';

export interface ListenerOptions {
  readonly sandboxes: Sandboxes;
  readonly apiKey: string;
  readonly port: number;
  /** Whose pages may use the control plane. */
  readonly origins: readonly string[];
}

/** Decides what a request is for, and whether whoever sends it may. */
export function requestListener({
  sandboxes,
  apiKey,
  port,
  origins,
}: ListenerOptions): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const api = controlPlane(sandboxes, apiKey);

  return async (request, response) => {
    const route = routeOf(request.headers, port);
    if (route.face === 'refused') {
      replyError(response, route.status, route.message);
      return;
    }
    if (isSandboxPreflight(request, route)) {
      allowAnyOrigin(request, response);
      answerPreflight(request, response);
      return;
    }
    if (route.face === 'sandbox') {
      allowAnyOrigin(request, response);
      answerSandbox(request, response, sandboxes.get(route.sandboxId), route.sandboxId, route.port);
      return;
    }
    if (isFilesPath(request.url)) {
      allowAnyOrigin(request, response);
      const sandbox = findBySignature(request, sandboxes);
      if (sandbox) answerSandbox(request, response, sandbox, sandbox.id, envdPort);
      else replyError(response, 401, 'this signature fits no running sandbox, or has expired');
      return;
    }
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
}
