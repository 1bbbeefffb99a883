/** Which preview a request is for, by its address alone. */

import { envdPort } from '../../transport/envd-endpoint.js';
import type { Exchange } from '../exchange.js';
import { routeNotFound } from '../refusals.js';
import type { Settings } from '../settings.js';
import type { PreviewOrigins } from './preview-options.js';

/** What a page asks to be let in at, below a preview's root. It is never the app's. */
export const enterPath = '/.well-known/e2b-preview';

export interface PreviewTarget {
  sandboxId: string;
  port: number;
  /** Where the app's `/` is for the browser: begins and ends with a slash. */
  root: string;
  /** What is asked of the app, with the query: begins with a slash. */
  path: string;
  /** The preview's own origin; absent below the broker's path, where its pages have none. */
  origin?: string;
  /** Named in the address below the broker's path. See {@link pathRoot}. */
  sessionId?: string;
}

/**
 * The root of a preview below the broker's path. A page there has no origin, so that nothing tells its requests from
 * those of a hostile page: neither `Origin` nor `Referer`, and to `Sec-Fetch-Site` it is another site. Therefore the
 * session is part of the path that the cookie is bound to. No other site knows where the cookie would be sent. Who
 * knows can do nothing without the cookie.
 */
export function pathRoot(
  publicPath: string,
  sandboxId: string,
  port: number | string,
  sessionId?: string,
): string {
  return `${publicPath}/ports/${sandboxId}/${port}/${sessionId === undefined ? '' : `~${sessionId}/`}`;
}

/** Where a session's previews are, with `{port}` for the port. */
export function previewTemplate(
  { publicBase }: Settings,
  origins: PreviewOrigins | undefined,
  sandboxId: string,
): string {
  return origins ? `${origins.template(sandboxId)}/` : pathRoot(publicBase, sandboxId, '{port}');
}

/** Undefined for what is not a preview's. The URL was parsed already: what changes a path (`..`) has done so. */
export function previewTarget<Env>({
  request,
  settings,
  credentials,
}: Exchange<Env>): PreviewTarget | undefined {
  const url = new URL(request.url);
  const { previews } = credentials;
  const found = previews?.match(url.host);
  if (!previews || !found) return targetBelowPath(url, settings);
  const port = portOf(found.port);
  return {
    sandboxId: found.sandboxId,
    port,
    root: '/',
    path: url.pathname + url.search,
    origin: previews.of(found.sandboxId, port),
  };
}

function targetBelowPath({ pathname, search }: URL, settings: Settings): PreviewTarget | undefined {
  const base = `${settings.basePath}/ports/`;
  if (!pathname.startsWith(base)) return undefined;
  const [, sandboxId = '', number = '', sessionId, rest] =
    /^([a-z0-9]{1,64})\/([1-9]\d{0,4})(?:\/~([0-9a-f-]{36}))?(\/.*)/.exec(pathname.slice(base.length)) ?? [];
  // Without the slash at its end, all that is relative in a page would miss the preview.
  if (rest === undefined) throw routeNotFound();
  const port = portOf(number);
  return {
    sandboxId,
    port,
    root: pathRoot(settings.publicPath, sandboxId, port, sessionId),
    path: rest + search,
    ...(sessionId !== undefined && { sessionId }),
  };
}

function portOf(text: string): number {
  const port = Number(text);
  if (port > 65_535 || port === envdPort) throw routeNotFound();
  return port;
}
