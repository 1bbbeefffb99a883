/** Passes one RPC on: judged by its decoded message, forwarded as encoded anew, answered as a stream. */

import { Process, type StartRequest } from '../wire/messages/process.js';
import { openUpstream } from './envd-upstream.js';
import type { Exchange } from './exchange.js';
import type { FileGuard } from './file-guard.js';
import { openPassage, type PassageAnswer } from './passage.js';
import type { ProcessGuard } from './process-guard.js';
import { processWatch } from './process-watch.js';
import { discard, readAnswer, readBody } from './read-body.js';
import { httpRefusal, invalidRequest, routeNotFound, upstreamFailed } from './refusals.js';
import { createRepeatGuard } from './repeat-guard.js';
import {
  decodeMessage,
  encodeMessage,
  isStreamType,
  type RpcContentType,
  rpcContentType,
} from './rpc-message.js';
import { type RpcPolicy, rpcPolicy } from './rpc-policy.js';
import type { SessionClaims } from './session-token.js';
import { strictCall } from './strict/strict-call.js';
import { upstreamError } from './upstream-error.js';

export interface RpcProxy {
  /**
   * @param path the procedure, as `process.Process/Start`.
   * @param claims the session that calls.
   */
  forward<Env>(exchange: Exchange<Env>, path: string, claims: SessionClaims): Promise<Response>;
}

const maxAnswerBytes = 4 * 1024 * 1024;

export function createRpcProxy(processes: ProcessGuard, files: FileGuard): RpcProxy {
  const refuseRepeat = createRepeatGuard();

  return {
    async forward(exchange, path, claims) {
      const { request } = exchange;
      const { policy, type } = procedureOf(request, path);
      const { method } = policy;
      const { messageBytes } = exchange.limits.max;
      const message = decodeMessage(method.input, type, await readBody(request, messageBytes));
      const answer = async (): Promise<PassageAnswer> => {
        const upstream = await openUpstream(exchange, claims);
        const context = { claims, upstream, processes, files };
        await policy.admit(message, context);
        refuseRepeat(request, claims.sid);
        if (claims.g.strict && policy.strict) {
          const done = await policy.strict(strictCall(exchange, claims, upstream), message);
          return { response: rpcAnswer(method, type, done) };
        }
        const response = await upstream.send(path, {
          method: 'POST',
          headers: callHeaders(request.headers, type),
          body: encodeMessage(method.input, type, message),
          signal: request.signal,
        });
        if (!response.ok) throw await upstreamError(response, 'rpc');
        if (rpcContentType(response.headers.get('content-type'), isStreamType(type)) !== type) {
          await discard(response);
          throw upstreamFailed(new Error('an answer of another content type'));
        }
        const headers = { 'content-type': type };
        if (isStreamType(type))
          return {
            response: new Response(response.body, { headers }),
            onChunk: await processWatch(method, message, type, context),
          };
        if (!policy.filter) return { response: new Response(response.body, { headers }) };
        const answered = decodeMessage(method.output, type, await readAnswer(response, maxAnswerBytes));
        const visible = await policy.filter(answered, context);
        return { response: rpcAnswer(method, type, visible) };
      };
      if (!isStreamType(type)) {
        const answerNow = async (): Promise<Response> => (await answer()).response;
        // In strict mode it runs a program, all of whose output is held here.
        return claims.g.strict && policy.strict
          ? exchange.limits.during('stream', claims, answerNow)
          : answerNow();
      }
      const isTerminal = method === Process.start && (message as StartRequest).pty !== undefined;
      return openPassage(
        exchange,
        claims,
        { kind: isTerminal ? 'terminal' : 'stream', isEnvelopes: true },
        answer,
      );
    },
  };
}

function rpcAnswer(method: RpcPolicy['method'], type: RpcContentType, answer: unknown): Response {
  return new Response(encodeMessage(method.output, type, answer), { headers: { 'content-type': type } });
}

/** The procedure and the codec, if both are among those that are let through. */
export function procedureOf(request: Request, path: string): { policy: RpcPolicy; type: RpcContentType } {
  const policy = rpcPolicy(path);
  if (!policy) throw routeNotFound();
  const { headers } = request;
  const type = rpcContentType(headers.get('content-type'), policy.method.kind !== 'unary');
  const encoded = headers.get('content-encoding') ?? headers.get('connect-content-encoding') ?? 'identity';
  if (!type || encoded !== 'identity') {
    throw httpRefusal(
      415,
      'unsupported_media_type',
      'The content type is not that of this procedure, or it is compressed.',
    );
  }
  return { policy, type };
}

/** envd's timer rings wrongly at 0 and its ticker panics at 0 or less, so both numbers are looked at. */
function callHeaders(headers: Headers, type: RpcContentType): Record<string, string> {
  const timeout = headers.get('connect-timeout-ms');
  if (timeout !== null && !/^[1-9]\d{0,9}$/.test(timeout)) {
    throw invalidRequest('Connect-Timeout-Ms is not a whole number above 0.');
  }
  const interval = headers.get('keepalive-ping-interval');
  const seconds =
    interval !== null && /^\d{1,6}$/.test(interval)
      ? Math.min(Math.max(Number(interval), 5), 300)
      : undefined;
  return {
    'content-type': type,
    'connect-protocol-version': '1',
    ...(timeout !== null && { 'connect-timeout-ms': timeout }),
    ...(seconds !== undefined && { 'keepalive-ping-interval': String(seconds) }),
  };
}
