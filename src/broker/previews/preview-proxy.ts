/** What listens at a port of a sandbox, shown to those whom a session lets. */

import { lifeOf } from '../bearer.js';
import { allowOrigin, checkOrigin } from '../cors.js';
import type { Decision } from '../decision.js';
import { asRefusal, errorResponse } from '../error-response.js';
import type { Exchange } from '../exchange.js';
import { openPassage } from '../passage.js';
import { httpRefusal } from '../refusals.js';
import { enterPreview } from './enter-preview.js';
import { isDocument, type PreviewAccess, previewAccess } from './preview-access.js';
import { previewErrorPage } from './preview-page.js';
import { policyHeaders, previewResponseHeaders } from './preview-response.js';
import { enterPath, type PreviewTarget } from './preview-target.js';
import { askApp, previewUpstream } from './preview-upstream.js';

const methods = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';

/** Answers a request for a preview. Never rejects. */
export async function handlePreview<Env>(
  exchange: Exchange<Env>,
  target: PreviewTarget,
  decision: Decision,
): Promise<Response> {
  Object.assign(decision.event, { action: 'preview', sandboxId: target.sandboxId, port: target.port });
  let response: Response;
  try {
    response = await answerPreview(exchange, target);
    decision.made(response.status);
  } catch (error) {
    decision.failed(error);
    response = refusedPreview(exchange, target, error);
  }
  response.headers.set('x-request-id', decision.event.requestId);
  return response;
}

async function answerPreview<Env>(exchange: Exchange<Env>, target: PreviewTarget): Promise<Response> {
  const { request, credentials } = exchange;
  const { headers } = request;
  if (target.path === enterPath) return enterPreview(exchange, target);
  const origin = headers.get('origin');
  if (isPreflight(request) && origin !== null && credentials.origins.includes(origin)) {
    return preflightOf(request, origin);
  }
  if (headers.has('service-worker') && target.origin === undefined) {
    throw httpRefusal(
      403,
      'service_worker_refused',
      "A preview below the broker's path has no service worker.",
    );
  }
  const access = await previewAccess(exchange, target);
  const { claims } = access;
  const guarded = { ...exchange, life: lifeOf(exchange, claims) };
  return openPassage(guarded, claims, { kind: 'preview' }, async () => {
    const upstream = await previewUpstream(guarded, target, access);
    const response = await askApp(guarded, target, upstream);
    return { response: appAnswer(guarded, target, access, upstream.url, response) };
  });
}

/** An error as whoever asked can read it: a person, a page's script, or a program. */
export function refusedPreview<Env>(
  { request, credentials: { origins }, event }: Exchange<Env>,
  target: PreviewTarget,
  error: unknown,
): Response {
  const headers = new Headers({ ...policyHeaders(target, origins), 'cache-control': 'no-store' });
  if (isDocument(request.headers)) return previewErrorPage(asRefusal(error), event.requestId, headers);
  const response = errorResponse(error, event.requestId);
  for (const [name, value] of headers) response.headers.set(name, value);
  const origin = request.headers.get('origin') ?? '';
  if (origins.includes(origin)) allowOrigin(response.headers, origin, target.path === enterPath);
  return response;
}

function appAnswer<Env>(
  { request, credentials: { origins } }: Exchange<Env>,
  target: PreviewTarget,
  access: PreviewAccess,
  url: string,
  response: Response,
): Response {
  const { status, statusText, body } = response;
  const headers = previewResponseHeaders(response, { request, target, access, url, origins });
  if (access.by === 'bearer') allowOrigin(headers, checkOrigin(request, origins), false);
  return new Response(body, { status, statusText, headers });
}

/** What asks first comes from another origin: a page with the token of a session, and whatever headers the app takes. */
function preflightOf({ headers }: Request, origin: string): Response {
  const response = new Response(null, { status: 204 });
  response.headers.set('access-control-allow-methods', methods);
  response.headers.set('access-control-allow-headers', headers.get('access-control-request-headers') ?? '');
  response.headers.set('access-control-max-age', '7200');
  allowOrigin(response.headers, origin, false);
  return response;
}

function isPreflight({ method, headers }: Request): boolean {
  return method === 'OPTIONS' && headers.has('access-control-request-method');
}
