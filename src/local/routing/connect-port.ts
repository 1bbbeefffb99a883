import type { ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { setTimeout as delay } from 'node:timers/promises';
import type { Machine } from '../machine/machine.js';
import { PortConnection } from './port-connection.js';

/** Upstream's patience with a service that is just starting. */
const retryDelaysMs = [100, 200, 300, 400] as const;

/**
 * Opens a connection to a port of a sandbox, as a program inside would on `localhost`. `undefined` when nothing
 * listens there, after a second of trying.
 *
 * @throws when the sandbox has ended, or `signal` was aborted.
 */
export async function connectPort(
  machine: Machine,
  port: number,
  signal: AbortSignal,
): Promise<PortConnection | undefined> {
  for (const delayMs of retryDelaysMs) {
    const connection = await connectOnce(machine, port, signal);
    if (connection) return connection;
    await delay(delayMs, undefined, { signal });
  }
  return connectOnce(machine, port, signal);
}

/** envd takes `CONNECT` for a connection to a port; see `envd/port-tunnel.ts`. */
async function connectOnce(
  machine: Machine,
  port: number,
  signal: AbortSignal,
): Promise<PortConnection | undefined> {
  signal.throwIfAborted();
  const stream = machine.request(
    { ':method': 'CONNECT', ':authority': `localhost:${port}` },
    { endStream: false },
  );
  const cancel = (): void => machine.cancel(stream);
  signal.addEventListener('abort', cancel, { once: true });
  try {
    if ((await statusOf(stream)) === 200) return new PortConnection(stream, cancel);
    // An end from both sides, where a reset would count.
    stream.resume().end();
    return undefined;
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

function statusOf(stream: ClientHttp2Stream): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    stream.once('response', (headers: IncomingHttpHeaders & { ':status'?: number }) =>
      resolve(headers[':status']),
    );
    stream.on('error', reject);
    stream.once('close', () => reject(new Error('the sandbox has ended')));
  });
}
