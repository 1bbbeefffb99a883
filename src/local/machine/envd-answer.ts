import type { ClientHttp2Stream } from 'node:http2';

/** What envd answered to a request. */
export interface EnvdAnswer {
  readonly status: number;
  /** What it said goes wrong, where it did. */
  readonly message: string;
}

/** Far more than envd says. */
const longestAnswer = 1 << 20;

/**
 * Reads an answer to its end. Rejects when envd is gone before it gives one, and when there is none after that many
 * milliseconds: programs of the sandbox can take envd over, and then go on without end.
 */
export async function answerOf(stream: ClientHttp2Stream, limitMs: number): Promise<EnvdAnswer> {
  let status = 0;
  stream.once('response', (headers) => {
    status = headers[':status'] ?? 0;
  });
  // Once the answer is read, what becomes of the stream is nobody's business.
  stream.on('error', () => {});
  stream.setEncoding('utf8');
  const timer = setTimeout(() => stream.destroy(new Error('envd does not answer')), limitMs);
  let body = '';
  try {
    for await (const chunk of stream as AsyncIterable<string>) {
      body += chunk;
      if (body.length > longestAnswer) throw new Error('the answer of envd has no end');
    }
  } finally {
    clearTimeout(timer);
  }
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
