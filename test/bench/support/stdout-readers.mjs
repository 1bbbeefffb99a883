import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { createEnvelopeReadableStream, encodeEnvelope } from '@connectrpc/connect/protocol';
import { endStreamFlag } from '@connectrpc/connect/protocol-connect';
import { StartRequestSchema, StartResponseSchema } from './envd-schema.mjs';

/**
 * The answer to a `Process.Start` of a command line as both SDKs start one, by `fetch` alone.
 * @param {{ url: string, headers: Record<string, string> }} target
 * @param {string} command
 */
export async function startByFetch(target, command) {
  const process = { cmd: '/bin/bash', args: ['-l', '-c', command] };
  const message = create(StartRequestSchema, { process, stdin: false });
  const response = await fetch(`${target.url}/process.Process/Start`, {
    method: 'POST',
    headers: {
      ...target.headers,
      'content-type': 'application/connect+proto',
      'connect-protocol-version': '1',
    },
    body: encodeEnvelope(0, toBinary(StartRequestSchema, message)),
  });
  if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
  return response.body;
}

/** Reads the body and looks at nothing of it. */
export async function readRaw(target, command) {
  let bytes = 0;
  for await (const piece of await startByFetch(target, command)) bytes += piece.length;
  return bytes;
}

/** Reads the messages with the parts that connect-web's transport for `fetch` is put together from. */
export async function readWithConnect(target, command) {
  const reader = createEnvelopeReadableStream(await startByFetch(target, command)).getReader();
  let bytes = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    const { flags, data } = next.value;
    if (flags & endStreamFlag) continue;
    const { event } = fromBinary(StartResponseSchema, data);
    const output = event?.event.case === 'data' ? event.event.value.output : undefined;
    if (output?.case === 'stdout') bytes += output.value.length;
  }
  return bytes;
}

/** Reads the bytes of a command of e2b-edge as they come. */
export async function readWithEdge(sandbox, command) {
  const running = await sandbox.commands.run(command, { background: true, maxRetainedBytes: 0 });
  let bytes = 0;
  for await (const event of running) if (event.type === 'stdout') bytes += event.bytes.length;
  return bytes;
}

/** Runs a command to its end, as most programs do, with either SDK; the output is one text. */
export async function runToEnd(sandbox, command) {
  const { stdout } = await sandbox.commands.run(command, { timeoutMs: 0 });
  return stdout.length;
}
