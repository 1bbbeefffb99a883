import type { Exchange } from './exchange.js';
import { jsonResponse } from './json-response.js';
import { routeNotFound } from './refusals.js';

/**
 * `GET /.well-known/jwks.json`: the public parts of the keys, for who wants to verify tokens elsewhere. There is no such
 * thing of a secret, so where there is nothing but secrets there is no such route.
 */
export async function publishKeys<Env>({ credentials }: Exchange<Env>): Promise<Response> {
  const { published } = credentials.tokens.keys;
  if (published.length === 0) throw routeNotFound();
  return jsonResponse({ keys: published });
}
