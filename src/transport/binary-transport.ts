import { type DescMessage, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { Code, ConnectError, createContextValues, type Transport } from '@connectrpc/connect';
import {
  compressedFlag,
  createEnvelopeReadableStream,
  createMethodUrl,
  encodeEnvelope,
  runStreamingCall,
  runUnaryCall,
} from '@connectrpc/connect/protocol';
import {
  endStreamFlag,
  endStreamFromJson,
  errorFromJson,
  requestHeader,
  validateResponse,
} from '@connectrpc/connect/protocol-connect';
import type { AuthorizedFetch } from './authorized-fetch.js';
import { type StreamLimit, startStreamLimit } from './stream-limit.js';

/**
 * The Connect protocol over `fetch`, with the binary codec alone. It is put together from the same parts as connect-web's
 * transport, which brings the JSON codec along whether it is spoken or not: a tenth of a page's bundle.
 */
export function createBinaryTransport(baseUrl: string, fetch: AuthorizedFetch): Transport {
  const post = (url: string, headers: Headers, signal: AbortSignal, body: Uint8Array): Promise<Response> =>
    fetch(url, { method: 'POST', headers, signal, body: body as BodyInit }, 'rpc');

  return {
    unary(method, signal, timeoutMs, header, message, contextValues = createContextValues()) {
      const limit = timeLimit(timeoutMs);
      return runUnaryCall({
        ...limit,
        ...(signal && { signal }),
        req: {
          stream: false,
          service: method.parent,
          method,
          requestMethod: 'POST',
          url: createMethodUrl(baseUrl, method),
          header: requestHeader('unary', true, limit.timeoutMs, header, false),
          contextValues,
          message,
        },
        next: async (request) => {
          const response = await post(
            request.url,
            request.header,
            request.signal,
            toBinary(method.input, request.message),
          );
          const { status, headers } = response;
          const checked = validateResponse('unary', true, status, headers);
          if (checked.isUnaryError) throw errorFromJson(await response.json(), undefined, checked.unaryError);
          const answer = fromBinary(method.output, new Uint8Array(await response.arrayBuffer()));
          return {
            stream: false,
            service: method.parent,
            method,
            header: headers,
            message: answer,
            trailer: new Headers(),
          };
        },
      });
    },

    stream(method, signal, timeoutMs, header, messages, contextValues = createContextValues()) {
      const limit = startStreamLimit(signal, timeoutMs);
      return runStreamingCall({
        signal: limit.signal,
        req: {
          stream: true,
          service: method.parent,
          method,
          requestMethod: 'POST',
          url: createMethodUrl(baseUrl, method),
          header: requestHeader('server_streaming', true, timeLimit(timeoutMs).timeoutMs, header, false),
          contextValues,
          message: messages,
        },
        next: async (request) => {
          try {
            const body = encodeEnvelope(0, toBinary(method.input, await onlyMessage(request.message)));
            const response = await post(request.url, request.header, request.signal, body);
            validateResponse('server_streaming', true, response.status, response.headers);
            const answers = within(limit, readAnswers(method.output, response, request.signal));
            return { ...request, header: response.headers, message: answers, trailer: new Headers() };
          } catch (error) {
            limit.end();
            throw limit.reason(error);
          }
        },
      });
    },
  };
}

/** A limit of 0 is none. */
function timeLimit(timeoutMs: number | undefined): { timeoutMs?: number } {
  return timeoutMs !== undefined && timeoutMs > 0 ? { timeoutMs } : {};
}

/** Over `fetch` a request is over before its answer begins, so there is just one message in it. */
async function onlyMessage<T>(messages: AsyncIterable<T>): Promise<T> {
  for await (const message of messages) return message;
  throw new ConnectError('a stream needs a message to begin with', Code.InvalidArgument);
}

async function* within<T>(limit: StreamLimit, answers: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* answers;
  } catch (error) {
    throw limit.reason(error);
  } finally {
    limit.end();
  }
}

async function* readAnswers<T extends DescMessage>(
  schema: T,
  response: Response,
  signal: AbortSignal,
): AsyncGenerator<MessageShape<T>> {
  const reader = createEnvelopeReadableStream(response.body ?? new Blob([]).stream()).getReader();
  let ended = false;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    const { flags, data } = next.value;
    if (flags & compressedFlag)
      throw new ConnectError('a compressed answer was not asked for', Code.Internal);
    if (flags & endStreamFlag) {
      ended = true;
      const { error } = endStreamFromJson(data);
      if (error) throw error;
    } else {
      yield fromBinary(schema, data);
    }
  }
  // Node does not always fail a read whose signal was aborted before.
  signal.throwIfAborted();
  if (!ended) throw new Error('the stream broke off: its end frame is missing');
}
