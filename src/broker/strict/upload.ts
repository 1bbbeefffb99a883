/** A file in strict mode, as a program writes it: whole or not at all. */

import { toBinary } from '../../wire/codec/to-binary.js';
import { EnvelopeSplitter, encodeEnvelope, endStreamFlag } from '../../wire/envelope.js';
import { Process, type ProcessSelector, Signal } from '../../wire/messages/process.js';
import type { Upstream } from '../envd-upstream.js';
import { readAnswer } from '../read-body.js';
import { upstreamFailed } from '../refusals.js';
import { upstreamError } from '../upstream-error.js';
import { transferTimeoutMs } from './download.js';
import { type Helper, startHelper } from './helper.js';
import { grantedPrefixes, placeOf } from './place.js';
import { programError } from './program-error.js';
import { ProgramExit, writeProgram } from './programs.js';
import { StreamInputRequest, streamInputPath } from './stream-input.js';
import type { StrictCall } from './strict-call.js';

/** Room for an envelope in what servers take as one message. */
const maxPieceBytes = 1024 * 1024;
const maxAnswerBytes = 64 * 1024;

/**
 * Writes a file, and answers as envd does.
 * @param size in bytes, where it was announced: fewer are refused.
 */
export async function uploadStrictly(
  call: StrictCall,
  path: string,
  body: ReadableStream<Uint8Array> | undefined,
  size: string | null,
): Promise<Response> {
  const { upstream } = call;
  const helper = await startHelper(upstream, {
    program: writeProgram,
    args: [
      size !== null && /^\d{1,15}$/.test(size) ? size : '',
      crypto.randomUUID(),
      ...placeOf(path, grantedPrefixes(call.grant, 'write')),
    ],
    input: true,
    timeoutMs: transferTimeoutMs,
    signal: call.signal,
  });
  // Before it wants anything it has found the place, and that it may be written to.
  if (!(await helper.read())) throw programError(helper.exit(), path, 'file');
  const process: ProcessSelector = { selector: { case: 'pid', value: helper.pid } };
  const ended = drain(helper);
  const given = new AbortController();
  const onAbort = (): void => given.abort();
  call.signal.addEventListener('abort', onAbort, { once: true });
  try {
    const sent = sendInput(upstream, process, body, given.signal);
    sent.catch(() => undefined);
    // A full disk ends it before all is there.
    await Promise.race([sent, ended]);
    given.abort();
    await upstream.call(Process.closeStdin, { process });
    await ended;
  } catch (error) {
    given.abort();
    const abandoned = abandon(upstream, process);
    call.waitUntil?.(abandoned);
    await abandoned;
    throw (await refusalOf(ended, helper, path)) ?? error;
  } finally {
    call.signal.removeEventListener('abort', onAbort);
    helper.leave();
  }
  if (helper.exit().code !== 0) throw programError(helper.exit(), path, 'file');
  const name = path.slice(path.lastIndexOf('/') + 1);
  return new Response(JSON.stringify([{ path, name, type: 'file' }]), {
    headers: { 'content-type': 'application/json' },
  });
}

/** Reads what it prints until it has ended. */
async function drain(helper: Helper): Promise<void> {
  while (await helper.read());
}

/** Takes the file back: the signal says that the end of its input is not the end of the file. */
async function abandon(upstream: Upstream, process: ProcessSelector): Promise<void> {
  try {
    await upstream.call(Process.sendSignal, { process, signal: Signal.SIGTERM });
    await upstream.call(Process.closeStdin, { process });
  } catch {
    // It cannot be reached: without the end of its input it writes nothing.
  }
}

/** Why it ended by itself, if it did. */
async function refusalOf(ended: Promise<void>, helper: Helper, path: string): Promise<Error | undefined> {
  try {
    await ended;
  } catch {
    return undefined;
  }
  const exit = helper.exit();
  const isOwn = exit.code > 0 && exit.code !== ProgramExit.failed;
  return isOwn ? programError(exit, path, 'file') : undefined;
}

/** Streams a body to a process, in one request. Rejects where not all of it was taken. */
async function sendInput(
  upstream: Upstream,
  process: ProcessSelector,
  body: ReadableStream<Uint8Array> | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (!body) return;
  const response = await upstream.send(streamInputPath, {
    method: 'POST',
    headers: { 'content-type': 'application/connect+proto', 'connect-protocol-version': '1' },
    body: inputMessages(process, body, signal),
    signal,
  });
  if (!response.ok) throw await upstreamError(response, 'rpc');
  const splitter = new EnvelopeSplitter();
  for (const { flags, payload } of splitter.push(await readAnswer(response, maxAnswerBytes))) {
    if ((flags & endStreamFlag) === 0) continue;
    const { error } = JSON.parse(new TextDecoder().decode(payload)) as { error?: { message?: string } };
    if (error) throw upstreamFailed(new Error(`envd: ${error.message}`));
    return;
  }
  throw upstreamFailed(new Error('envd did not say that it took the input'));
}

function inputMessages(
  process: ProcessSelector,
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  // Node's fetch reads on when it is aborted. What has broken off already cannot be left.
  const leave = (): void => void reader.cancel(signal.reason).catch(() => undefined);
  signal.addEventListener('abort', leave, { once: true });
  let chunk: Uint8Array = new Uint8Array();
  const encoded = (event: StreamInputRequest['event']): Uint8Array =>
    encodeEnvelope(0, toBinary(StreamInputRequest, { event }));
  return new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(encoded({ case: 'start', value: { process } })),
    async pull(controller) {
      while (chunk.length === 0) {
        const { done, value } = await reader.read();
        if (done) return controller.close();
        chunk = value;
      }
      const input = { input: { case: 'stdin' as const, value: chunk.subarray(0, maxPieceBytes) } };
      chunk = chunk.subarray(maxPieceBytes);
      controller.enqueue(encoded({ case: 'data', value: { input } }));
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
