import type { IncomingMessage } from 'node:http';

/** Names and values in turn, as `rawHeaders` has them: what is passed on keeps its order and its repetitions. */
export type RawHeaders = string[];

/** Of one connection, not of the message (RFC 9110, 7.6.1). */
const hopByHop = [
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** Written anew for each request, and so never what a client made up. */
const rewritten = [
  'content-length',
  'expect',
  'forwarded',
  'host',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
];

/**
 * The headers of a request as a service in a sandbox gets them. It sees the name that the client used, so that its
 * redirects and links hold; with a `mask` it sees that instead, and the client's in `X-Forwarded-Host`.
 */
export function serviceHeaders(request: IncomingMessage, mask: string | undefined): RawHeaders {
  const host = request.headers.host ?? '';
  return [
    ...['Host', mask ?? host],
    ...(mask === undefined ? [] : ['X-Forwarded-Host', host]),
    ...without(request, [...hopByHop, ...rewritten]),
    ...framing(request),
    ...(/\btrailers\b/i.test(String(request.headers.te)) ? ['TE', 'trailers'] : []),
  ];
}

/**
 * The headers of a service's answer as the client gets them, its cookies included: browsers refuse one for all of
 * `localhost`, as for any top-level domain, so that no sandbox sets any for another.
 */
export function clientHeaders(answer: IncomingMessage): RawHeaders {
  const isChunked = answer.headers['transfer-encoding'] !== undefined;
  return without(answer, isChunked ? [...hopByHop, 'content-length'] : hopByHop);
}

/** The fields after a chunked body; none of those by which a message is understood. */
export function forwardedTrailers(message: IncomingMessage): [name: string, value: string][] {
  const dropped = new Set([...hopByHop, ...rewritten]);
  return pairs(message.rawTrailers).filter(([name]) => !dropped.has(name.toLowerCase()));
}

/** Whether a body follows: Node has refused already what says so in two ways. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function framing({ headers, method }: IncomingMessage): RawHeaders {
  if (headers['transfer-encoding'] !== undefined) return ['Transfer-Encoding', 'chunked'];
  if (headers['content-length'] !== undefined) return ['Content-Length', headers['content-length']];
  // Left out, it would be taken for a body whose length is not known yet.
  return method === 'POST' || method === 'PUT' || method === 'PATCH' ? ['Content-Length', '0'] : [];
}

function without(message: IncomingMessage, names: readonly string[]): RawHeaders {
  const listed = (message.headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  const dropped = new Set([...names, ...listed.filter((name) => name !== 'content-length')]);
  return pairs(message.rawHeaders)
    .filter(([name]) => !dropped.has(name.toLowerCase()))
    .flat();
}

function pairs(raw: readonly string[]): [name: string, value: string][] {
  return raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? '']] : []));
}
