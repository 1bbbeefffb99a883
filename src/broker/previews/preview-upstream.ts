/** The way to a port of a session's sandbox. */

import { isE2BEdgeError } from '../../errors.js';
import type { EnvdEndpoint } from '../../transport/envd-endpoint.js';
import { askControlPlane } from '../control-plane.js';
import type { Exchange } from '../exchange.js';
import { guardUpload } from '../passage.js';
import { discard, readBody } from '../read-body.js';
import { httpRefusal, sandboxPaused, upstreamFailed } from '../refusals.js';
import type { KnownSandbox } from '../sandbox-directory.js';
import type { PreviewAccess } from './preview-access.js';
import { previewFailure } from './preview-failure.js';
import { previewRequestHeaders } from './preview-request.js';
import { enterPath, type PreviewTarget } from './preview-target.js';

/** How a request is made to the app. */
export interface PreviewUpstream {
  url: string;
  headers: Record<string, string>;
  endpoint: EnvdEndpoint;
}

/** Up to this size a body is sent with its length: small servers know no other. */
const sizedBytes = 64 * 1024;
/** The least that the control plane takes. */
const shortestSeconds = 1;

export async function previewUpstream<Env>(
  exchange: Exchange<Env>,
  target: PreviewTarget,
  access: PreviewAccess,
): Promise<PreviewUpstream> {
  const { request, directory, credentials } = exchange;
  const { sandboxId, port, path } = target;
  const known = await directory.find(sandboxId, credentials);
  const isLocked = known.isPrivate && known.trafficToken === undefined;
  const sandbox = isLocked ? await withTrafficToken(exchange, sandboxId) : known;
  const endpoint = sandbox.portEndpoint(port);
  return {
    // Joined as text: resolved as an address, a path that begins with two slashes would be another host.
    url: endpoint.baseUrl + path,
    headers: previewRequestHeaders(request, target, access, endpoint, sandbox.trafficToken),
    endpoint,
  };
}

/**
 * The token for private ports is told to who connects, which would also wake a sandbox and put off its end: neither
 * comes with a port. An end is never brought nearer by it.
 */
async function withTrafficToken<Env>(
  { credentials, directory }: Exchange<Env>,
  sandboxId: string,
): Promise<KnownSandbox> {
  const { control } = credentials;
  const { state } = await askControlPlane(() => control.info(sandboxId));
  if (state === 'paused') throw sandboxPaused();
  return directory.remember(
    await askControlPlane(() => control.connect(sandboxId, { timeout: shortestSeconds })),
    credentials,
  );
}

/** Asks the app. Its answer is as it came, redirects among them; rejects where something else answered in its place. */
export async function askApp<Env>(
  exchange: Exchange<Env>,
  target: PreviewTarget,
  upstream: PreviewUpstream,
): Promise<Response> {
  const { request, directory, credentials } = exchange;
  const { method } = request;
  const { url, headers } = upstream;
  const length = request.headers.get('content-length');
  const response =
    length !== null && Number(length) <= sizedBytes && request.body
      ? await send(exchange, url, { method, headers, body: await readBody(request, sizedBytes) })
      : await guardUpload(exchange, (body, signal) =>
          send(exchange, url, { method, headers, signal, ...(body && { body, duplex: 'half' }) }),
        );
  const failure = await previewFailure(response, target, () => probe(exchange, upstream));
  if (!failure) return response;
  // What was refused or is not there is asked for anew the next time.
  directory.forget(target.sandboxId);
  const isAbsent = isE2BEdgeError(failure, 'sandbox_not_found');
  // Refused for a token that was wrong, or because it sleeps and may not be woken so.
  if (!isAbsent && response.status !== 403) throw failure;
  const absence = await directory.absence(target.sandboxId, credentials);
  throw isAbsent || isE2BEdgeError(absence, 'sandbox_paused') ? absence : failure;
}

/** Asks for what no app has, as no browser does: E2B's proxy shows browsers a page, and tells others why. */
function probe<Env>(exchange: Exchange<Env>, { endpoint, headers }: PreviewUpstream): Promise<Response> {
  const { 'e2b-traffic-access-token': token } = headers;
  return send(exchange, endpoint.baseUrl + enterPath, {
    method: 'GET',
    headers: {
      accept: 'application/json',
      ...endpoint.headers,
      ...(token !== undefined && { 'e2b-traffic-access-token': token }),
    },
  });
}

async function send<Env>(
  { settings, request }: Exchange<Env>,
  url: string,
  init: RequestInit & { duplex?: 'half' },
): Promise<Response> {
  let response: Response;
  try {
    response = await settings.fetch(url, { signal: request.signal, ...init, redirect: 'manual' });
  } catch (error) {
    if (request.signal.aborted) throw httpRefusal(499, 'canceled', 'The caller went away.');
    throw upstreamFailed(error);
  }
  if (response.type === 'opaqueredirect') throw upstreamFailed(new Error('a redirect that cannot be read'));
  // Nothing can be answered with such a status.
  if (response.status > 599) {
    await discard(response);
    throw upstreamFailed(new Error(`HTTP ${response.status}`));
  }
  return response;
}
