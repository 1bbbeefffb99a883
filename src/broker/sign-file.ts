/**
 * URLs that open one file for a moment with no other credential, for what would be too large for the broker: envd's own
 * signatures. The path is looked at when the URL is signed, as for a download or an upload; envd resolves it anew when
 * the URL is used, so a symlink that was put there meanwhile is followed. A URL cannot be taken back.
 */

import { getSignature } from '../wire/file-signature.js';
import { sessionOf } from './bearer.js';
import { openUpstream } from './envd-upstream.js';
import type { Exchange } from './exchange.js';
import type { FileGuard } from './file-guard.js';
import { jsonResponse } from './json-response.js';
import { readJson } from './read-json.js';
import { httpRefusal, invalidRequest, notGranted } from './refusals.js';

const maxLifeMs = 60_000;

/** `POST /files/sign { path, op, expiresInMs? }` */
export async function signFile<Env>(exchange: Exchange<Env>, files: FileGuard): Promise<Response> {
  const { credentials, directory, request } = exchange;
  const claims = await sessionOf(exchange);
  const { path, op, expiresInMs } = readSignRequest(await readJson(request));
  // envd serves a signed URL as root, whoever it was signed for.
  if (claims.g.strict) throw notGranted('sign URLs: it is strict');
  const { endpoint } = await directory.find(claims.sbx, credentials);
  const envdAccessToken = endpoint.headers['x-access-token'];
  if (envdAccessToken === undefined) {
    throw httpRefusal(
      409,
      'sandbox_not_secured',
      'The sandbox has no token to sign with: who has the address of its envd needs none.',
    );
  }
  const upstream = await openUpstream(exchange, claims);
  const checked = await files.check(upstream, claims.g, path, { ops: [op], follows: true });
  const { user } = upstream;
  const { signature, expiration } = await getSignature({
    path: checked,
    operation: op,
    user,
    expirationInSeconds: Math.ceil(expiresInMs / 1000),
    envdAccessToken,
  });
  const query = new URLSearchParams({
    path: checked,
    ...(user !== undefined && { username: user }),
    signature,
    signature_expiration: String(expiration),
  });
  return jsonResponse({ url: `${endpoint.baseUrl}/files?${query}`, expiresAt: Number(expiration) * 1000 });
}

function readSignRequest({ path, op, expiresInMs = maxLifeMs }: Record<string, unknown>): {
  path: string;
  op: 'read' | 'write';
  expiresInMs: number;
} {
  if (typeof path !== 'string') throw invalidRequest('"path" is not a text.');
  if (op !== 'read' && op !== 'write') throw invalidRequest('"op" is not "read" or "write".');
  if (typeof expiresInMs !== 'number' || !(expiresInMs >= 1000 && expiresInMs <= maxLifeMs)) {
    throw invalidRequest(`"expiresInMs" is not between 1000 and ${maxLifeMs} milliseconds.`);
  }
  return { path, op, expiresInMs };
}
