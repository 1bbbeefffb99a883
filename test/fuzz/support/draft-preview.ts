import type { PreviewCall } from '../arbitraries/previews.js';
import type { Draft } from './draft.js';

/** What lets a request in, and whose preview it is. */
export interface PreviewKeys {
  sandboxId: string;
  sessionId: string;
  token: string;
  /** As `name=value`, for previews below the broker's path or at an origin of their own. */
  cookie?: string | undefined;
}

const bearerProtocol = 'e2b-edge.bearer.';

/** Asks to be let in. */
export function entryDraft({ sandboxId, token }: PreviewKeys, port: number, atOrigin: boolean): Draft {
  return {
    method: 'POST',
    ...placed(sandboxId, port, atOrigin, '/.well-known/e2b-preview'),
    headers: [['authorization', `Bearer ${token}`]],
  };
}

/** The request that a call makes; a twist may still change it. */
export function previewDraft(call: PreviewCall, keys: PreviewKeys): Draft {
  const { method, port, path, by, site, isSocket, atOrigin } = call;
  const { sandboxId, sessionId, token, cookie } = keys;
  const isByCookie = cookie !== undefined && by !== 'cookie as a token';
  const below =
    isByCookie && !atOrigin && by !== 'cookie at another address' ? `/~${sessionId}${path}` : path;
  const headers: [string, string][] = Object.entries(site).map(([name, value]) => [
    name,
    value === '%' ? originOf(sandboxId, port) : value,
  ]);
  const cookies = ['application=5', 'e2b-preview.own=6', ...(isByCookie ? [cookie] : [])];
  headers.push(['cookie', cookies.join('; ')]);
  if (by === 'token') headers.push(['authorization', `Bearer ${token}`]);
  if (by === 'cookie as a token' && cookie)
    headers.push(['authorization', `Bearer ${cookie.replace(/^[^=]*=/, '')}`]);
  if (isSocket) headers.push(['upgrade', 'websocket'], ['connection', 'upgrade']);
  if (by === 'subprotocol') headers.push(['sec-websocket-protocol', `app.v1, ${bearerProtocol}${token}`]);
  return { method: isSocket ? 'GET' : method, ...placed(sandboxId, port, atOrigin, below), headers };
}

function placed(
  sandboxId: string,
  port: number,
  atOrigin: boolean,
  path: string,
): Pick<Draft, 'origin' | 'path'> {
  return atOrigin
    ? { origin: originOf(sandboxId, port), path }
    : { path: `/ports/${sandboxId}/${port}${path}` };
}

function originOf(sandboxId: string, port: number): string {
  return `https://${port}-${sandboxId}.preview.example`;
}
