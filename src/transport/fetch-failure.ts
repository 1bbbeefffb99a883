/** What it means that `fetch` itself failed: how far the request had got, as far as the runtime lets one know. */

import { ConnectionError } from '../errors.js';

/** Codes of Node and Bun that say that there never was a connection. */
const neverMade = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|UND_ERR_CONNECT_TIMEOUT)$/;
/** Codes, and words of Deno, that say that there was one. */
const brokeOff = /^(ECONNRESET|EPIPE|UND_ERR_SOCKET)$|\(SendRequest\)|Connection reset/;

interface SystemError {
  code?: unknown;
  syscall?: unknown;
  message?: unknown;
  cause?: unknown;
  errors?: unknown[];
}

/**
 * Makes an error of what `fetch` threw. Web pages and Workers give the same words for all failures, so there the request
 * counts as perhaps executed.
 */
export function fetchFailed(url: string, cause: unknown): ConnectionError {
  const { origin } = new URL(url);
  if (!isNeverMade(cause) && isBrokenOff(cause)) {
    return new ConnectionError(`The connection to ${origin} was lost before an answer came.`, {
      code: 'connection_lost',
      cause,
      uncertain: true,
    });
  }
  return new ConnectionError(
    `Could not reach ${origin}: nothing answered. Check that it is running, and the network; in a web page, also that it allows this origin and the headers that were sent (CORS).`,
    { code: 'connection_failed', cause, uncertain: !isNeverMade(cause) },
  );
}

/** A stream that could not be sent to its end: `fetch` does not tell whether its source failed, or the connection. */
export function uploadFailed(url: string, cause: unknown): ConnectionError {
  if (isNeverMade(cause)) return fetchFailed(url, cause);
  return new ConnectionError('The upload broke off: its stream failed, or the connection was lost.', {
    code: 'connection_lost',
    cause,
    uncertain: true,
  });
}

function isNeverMade(error: unknown): boolean {
  const { code, syscall, message, cause, errors } = Object(error) as SystemError;
  return (
    neverMade.test(String(code)) ||
    syscall === 'connect' ||
    syscall === 'getaddrinfo' ||
    String(message).includes('client error (Connect)') ||
    // One for each address of a host.
    (errors?.length ? errors.every(isNeverMade) : cause !== undefined && isNeverMade(cause))
  );
}

function isBrokenOff(error: unknown): boolean {
  const { code, message, cause } = Object(error) as SystemError;
  return (
    brokeOff.test(String(code)) ||
    brokeOff.test(String(message)) ||
    (cause !== undefined && isBrokenOff(cause))
  );
}
