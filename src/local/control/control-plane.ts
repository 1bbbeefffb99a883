import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiError, replyFailure } from '../http/replies.js';
import { urlOf } from '../http/request-url.js';
import { sameSecret } from '../http/signature.js';
import { CreationKeys } from './creation-keys.js';
import type { Metrics } from './metrics.js';
import { elsewhere } from './routes/elsewhere.js';
import { lifecycleRoutes } from './routes/lifecycle-routes.js';
import { metricsRoutes } from './routes/metrics-routes.js';
import type { Action, Route } from './routes/route.js';
import { sandboxRoutes } from './routes/sandbox-routes.js';
import { snapshotRoutes } from './routes/snapshot-routes.js';
import { templateRoutes } from './routes/template-routes.js';
import type { Sandboxes } from './sandboxes.js';
import type { Templates } from './templates/templates.js';

/** Answers one request. */
export type ControlPlane = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export interface ControlPlaneOptions {
  readonly sandboxes: Sandboxes;
  readonly templates: Templates;
  readonly metrics: Metrics;
  readonly apiKey: string;
  /** Whether any other key is as good. */
  readonly anyApiKey: boolean;
}

const routes: readonly Route[] = [
  // First, because `metrics` looks like an id.
  ...metricsRoutes,
  ...sandboxRoutes,
  ...lifecycleRoutes,
  ...snapshotRoutes,
  ...templateRoutes,
];

/** The REST API that creates, finds, changes and ends sandboxes, for whoever has the key. */
export function controlPlane(options: ControlPlaneOptions): ControlPlane {
  const { sandboxes, templates, metrics } = options;
  const creationKeys = new CreationKeys<Record<string, unknown>>();
  return async (request, response) => {
    try {
      const url = urlOf(request);
      if (url.pathname === '/health') {
        response.writeHead(200, { 'content-type': 'text/plain' }).end('Health check successful');
        return;
      }
      checkKey(request.headers['x-api-key'], options);
      const { action, id } = match(request.method ?? '', url.pathname);
      const query = url.searchParams;
      await action({ request, response, query, sandboxes, templates, creationKeys, metrics, id });
    } catch (error) {
      replyFailure(response, error);
    }
  };
}

function match(method: string, path: string): { action: Action; id: string } {
  const served = routes.filter(([, pattern]) => pattern.test(path));
  const found = served.find(([allowed]) => allowed === method);
  if (found) return { action: found[2], id: decoded(found[1].exec(path)?.[1] ?? '') };
  const missing = elsewhere.find(([pattern, methods]) => pattern.test(path) && methods.includes(method));
  if (missing) throw new ApiError(501, `the local server has no support for ${missing[2]}`);
  if (served.length > 0) throw new ApiError(405, `method ${method} is not allowed for ${path}`);
  throw new ApiError(404, `no such endpoint: ${method} ${path}`);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ApiError(400, `'${text}' is not properly encoded`);
  }
}

function checkKey(given: string | string[] | undefined, { apiKey, anyApiKey }: ControlPlaneOptions): void {
  if (given === undefined) throw new ApiError(401, 'authorization header is missing');
  if (anyApiKey && given !== '') return;
  if (typeof given !== 'string' || !given.startsWith('e2b_')) {
    throw new ApiError(401, 'authorization header is malformed');
  }
  if (!sameSecret(given, apiKey)) {
    throw new ApiError(401, 'invalid API key: use the one that the local server printed when it started');
  }
}
