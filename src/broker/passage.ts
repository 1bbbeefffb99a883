/** What passes through the broker for longer than a moment: it is counted, cut with its session, and logged at its end. */

import { isE2BEdgeError } from '../errors.js';
import { encodeEnvelope, endStreamFlag } from '../wire/envelope.js';
import type { BrokerEvent } from './broker-event.js';
import { EnvelopeEdge } from './envelope-edge.js';
import { asRefusal } from './error-response.js';
import type { Exchange } from './exchange.js';
import { lengthOf } from './fixed-length.js';
import { guardPipe } from './guarded-pipe.js';
import { guardStream, type StreamEnd, type StreamGuard } from './guarded-stream.js';
import type { SlotKind } from './limits.js';
import { bodyTooLarge } from './read-body.js';
import { upstreamFailed } from './refusals.js';
import type { SessionClaims } from './session-token.js';

export interface Passage {
  kind: SlotKind;
  /** Whether the body is made of Connect's envelopes: it can say why it was cut then. */
  isEnvelopes?: boolean;
}

/** The answer of a sandbox, and who is to see the pieces of its body. */
export interface PassageAnswer {
  response: Response;
  onChunk?: ((chunk: Uint8Array) => void) | undefined;
}

/**
 * Opens a passage and gives the answer with its body guarded. Its slot is free again when the body has ended in whatever
 * way, or could not be opened.
 * @throws 429 `too_many_streams` and the like, before anything is opened.
 */
export async function openPassage<Env>(
  exchange: Exchange<Env>,
  claims: SessionClaims,
  { kind, isEnvelopes = false }: Passage,
  open: () => Promise<PassageAnswer>,
): Promise<Response> {
  const { isTerminals, limits, life, request } = exchange;
  const leave = isTerminals ? () => undefined : limits.enter(kind, claims);
  const startedAt = Date.now();
  let answer: PassageAnswer;
  try {
    answer = await open();
  } catch (error) {
    leave();
    throw error;
  }
  const { response, onChunk } = answer;
  if (!response.body) {
    leave();
    return response;
  }
  const finish = (end: StreamEnd, reason: unknown, sentBytes: number | undefined): void => {
    leave();
    if (isTerminals) return;
    logEnd(
      exchange,
      { end, ...(sentBytes !== undefined && { sentBytes }), durationMs: Date.now() - startedAt },
      reason,
    );
  };
  const length = lengthOf(response.headers);
  // What has to be looked at has no length.
  if (length !== undefined) {
    const body = guardPipe(response.body, length, {
      life,
      signal: request.signal,
      onEnd: (end, reason) => finish(end, reason, end === 'done' ? length : undefined),
    });
    if (body) return new Response(body, response);
  }
  const edge = new EnvelopeEdge();
  let sentBytes = 0;
  const body = guardStream(response.body, {
    life,
    signal: request.signal,
    endsQuietly: true,
    length,
    onChunk(chunk) {
      sentBytes += chunk.length;
      if (isEnvelopes) edge.push(chunk);
      onChunk?.(chunk);
    },
    lastWords: (reason) => (isEnvelopes && edge.isBetween ? lastEnvelope(reason) : undefined),
    onEnd: (end, reason) => finish(end, reason, sentBytes),
  });
  return new Response(body, response);
}

/**
 * Guards a body on its way to the sandbox.
 * @param send sends it, until it is aborted.
 */
export async function guardUpload<Env>(
  { life, request, event, limits }: Exchange<Env>,
  send: (body: ReadableStream<Uint8Array> | undefined, signal: AbortSignal) => Promise<Response>,
): Promise<Response> {
  const { uploadBytes } = limits.max;
  const length = lengthOf(request.headers);
  if ((length ?? 0) > uploadBytes) throw bodyTooLarge(uploadBytes);
  if (!request.body) return send(undefined, request.signal);
  const stopped = new AbortController();
  const guard = {
    life,
    signal: request.signal,
    onEnd(_end: StreamEnd, reason?: unknown) {
      // What breaks off for a reason of the broker's is answered with it, whatever becomes of the upstream's request.
      if (isE2BEdgeError(reason)) stopped.abort(reason);
    },
  };
  try {
    return await send(
      uploadPipe(request.body, length, event, guard) ?? uploadStream(request.body, uploadBytes, event, guard),
      AbortSignal.any([request.signal, stopped.signal]),
    );
  } catch (error) {
    throw stopped.signal.aborted ? stopped.signal.reason : error;
  }
}

/** What does not say how long it is has to be counted. */
function uploadStream(
  body: ReadableStream<Uint8Array>,
  maxBytes: number,
  event: Partial<BrokerEvent>,
  guard: StreamGuard,
): ReadableStream<Uint8Array> {
  let receivedBytes = 0;
  return guardStream(body, {
    ...guard,
    onChunk({ length }) {
      receivedBytes += length;
      event.receivedBytes = receivedBytes;
      if (receivedBytes > maxBytes) throw bodyTooLarge(maxBytes);
    },
  });
}

/** Undefined where the length is not known, or the runtime passes nothing on by itself. */
function uploadPipe(
  body: ReadableStream<Uint8Array>,
  length: number | undefined,
  event: Partial<BrokerEvent>,
  guard: Required<Pick<StreamGuard, 'life' | 'signal' | 'onEnd'>>,
): ReadableStream<Uint8Array> | undefined {
  if (length === undefined) return undefined;
  return guardPipe(body, length, {
    ...guard,
    onEnd(end, reason) {
      if (end === 'done') event.receivedBytes = length;
      guard.onEnd(end, reason);
    },
  });
}

/** A client of Connect reads why its stream was ended here; the session's own code is in what Connect calls metadata. */
function lastEnvelope(reason: unknown): Uint8Array | undefined {
  if (!isE2BEdgeError(reason, 'session_revoked')) return undefined;
  const end = {
    error: { code: 'unauthenticated', message: reason.message },
    metadata: { 'e2b-edge-code': [reason.code] },
  };
  return encodeEnvelope(endStreamFlag, new TextEncoder().encode(JSON.stringify(end)));
}

const outcomes: Record<StreamEnd, BrokerEvent['outcome']> = {
  done: 'allowed',
  left: 'allowed',
  cut: 'refused',
  broken: 'failed',
  abandoned: 'failed',
};

function logEnd<Env>(
  { event, settings }: Exchange<Env>,
  facts: { end: StreamEnd; sentBytes?: number; durationMs: number },
  reason: unknown,
): void {
  const { action: of = 'unknown', ...who } = event;
  const outcome = outcomes[facts.end];
  settings.log({
    ...who,
    ...facts,
    action: 'stream_end',
    of,
    outcome,
    status: 0,
    ...(outcome !== 'allowed' && causeOf(facts.end, reason)),
  });
}

function causeOf(end: StreamEnd, reason: unknown): Pick<BrokerEvent, 'code' | 'cause'> {
  const { code, cause } = end === 'cut' ? asRefusal(reason) : upstreamFailed(reason);
  if (end === 'abandoned') return { code: 'abandoned' };
  return { code, ...(cause !== undefined && { cause }) };
}
