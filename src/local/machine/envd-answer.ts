import type { ClientHttp2Stream } from 'node:http2';

/** What envd answered to a request. */
export interface EnvdAnswer {
  readonly status: number;
  /** What it said goes wrong, where it did. */
  readonly message: string;
}

/** Reads an answer to its end. Rejects when envd is gone before it gives one. */
export async function answerOf(stream: ClientHttp2Stream): Promise<EnvdAnswer> {
  let status = 0;
  stream.once('response', (headers) => {
    status = headers[':status'] ?? 0;
  });
  // Once the answer is read, what becomes of the stream is nobody's business.
  stream.on('error', () => {});
  stream.setEncoding('utf8');
  let body = '';
  for await (const chunk of stream as AsyncIterable<string>) body += chunk;
  if (status === 0) throw new Error('its envd has ended');
  return { status, message: messageIn(body) };
}

function messageIn(body: string): string {
  try {
    return (JSON.parse(body) as { message: string }).message;
  } catch {
    return body;
  }
}
