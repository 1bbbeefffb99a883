import { createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { Process } from './envd-schema.mjs';

/**
 * Runs a shell command and counts the bytes of its stdout. Connect's own client, with binary messages, for whatever
 * server: what differs between two measurements is the server alone.
 * @param {{ url: string, headers: Record<string, string> }} target
 * @param {string} command
 */
export async function readStdout(target, command) {
  const transport = createConnectTransport({
    baseUrl: target.url,
    httpVersion: '1.1',
    useBinaryFormat: true,
    acceptCompression: [],
  });
  const request = { process: { cmd: '/bin/sh', args: ['-c', command] }, stdin: false };
  const responses = createClient(Process, transport).start(request, { headers: target.headers });
  let bytes = 0;
  for await (const { event } of responses) {
    const output = event?.event.case === 'data' ? event.event.value.output : undefined;
    if (output?.case === 'stdout') bytes += output.value.length;
  }
  return bytes;
}
