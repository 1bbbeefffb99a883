import { isE2BEdgeError } from '../errors.js';
import { check, isObject, type Rule } from '../transport/check-options.js';
import { readBody } from './read-body.js';
import { httpRefusal, invalidRequest } from './refusals.js';

const maxJsonBytes = 64 * 1024;

/**
 * The JSON object that a page sent; empty for an empty body. A form of another site can send a POST with cookies, but
 * not one of JSON without asking first.
 */
export async function readJson(request: Request): Promise<Record<string, unknown>> {
  if (request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() !== 'application/json') {
    throw httpRefusal(415, 'unsupported_media_type', 'The content type has to be application/json.');
  }
  const text = new TextDecoder().decode(await readBody(request, maxJsonBytes));
  let body: unknown;
  try {
    body = text === '' ? {} : JSON.parse(text);
  } catch {
    throw invalidRequest('The body is not JSON.');
  }
  if (!isObject(body)) throw invalidRequest('The body is not a JSON object.');
  return body as Record<string, unknown>;
}

/** Refuses a field that breaks its rule as what it is: the page's mistake. */
export function checkField(name: string, value: unknown, rule: Rule): void {
  try {
    check(name, value, rule);
  } catch (error) {
    throw isE2BEdgeError(error) ? invalidRequest(error.message) : error;
  }
}
