/** A program of the broker's own while it runs in the sandbox, as the session's user. */

import { fromBinary } from '../../wire/codec/from-binary.js';
import { toBinary } from '../../wire/codec/to-binary.js';
import { EnvelopeSplitter, encodeEnvelope, endStreamFlag } from '../../wire/envelope.js';
import {
  Process,
  type ProcessEvent,
  Signal,
  StartRequest,
  StartResponse,
} from '../../wire/messages/process.js';
import type { Upstream } from '../envd-upstream.js';
import { upstreamFailed } from '../refusals.js';
import { upstreamError } from '../upstream-error.js';

export interface HelperStart {
  program: string;
  args: readonly string[];
  /** Whether something will be written to its input. Default false: it is closed. */
  input?: boolean;
  /** How long it may run, in milliseconds; envd kills it then. */
  timeoutMs: number;
  signal: AbortSignal;
}

export interface Helper {
  pid: number;
  /** The next piece of its standard output, or undefined once it has ended. */
  read(): Promise<Uint8Array | undefined>;
  /** How it ended; the words are the beginning of its standard error. */
  exit(): { code: number; words: string };
  /** Stops listening to it. */
  leave(): void;
  /** Ends it, if it has not ended. Never rejects. */
  kill(): Promise<void>;
}

/** No session's mark begins so: no page sees it, or reaches it. */
const helperTag = 'e2b-edge:strict';
const maxWords = 500;

/** Starts a program. Rejects if it could not be started, which is not the page's doing. */
export async function startHelper(upstream: Upstream, start: HelperStart): Promise<Helper> {
  const { program, args, input = false, timeoutMs, signal } = start;
  const message = toBinary(StartRequest, {
    process: { cmd: '/bin/sh', args: ['-c', program, 'sh', ...args], cwd: '/' },
    tag: helperTag,
    stdin: input,
  });
  const response = await upstream.send(Process.start.path, {
    method: 'POST',
    headers: {
      'content-type': 'application/connect+proto',
      'connect-protocol-version': '1',
      'connect-timeout-ms': String(timeoutMs),
    },
    body: encodeEnvelope(0, message),
    signal,
  });
  if (!response.ok || !response.body) throw await upstreamError(response, 'rpc');
  const reader = response.body.getReader();
  const events = processEvents(reader);
  const first = await events.next();
  if (first.done || first.value.event.case !== 'start') throw upstreamFailed(new Error('no process started'));

  const { pid } = first.value.event.value;
  const leave = (): void => void reader.cancel().catch(() => undefined);
  const words = new TextDecoder();
  const exit = { code: -1, words: '' };
  return {
    pid,
    async read() {
      for (;;) {
        const { done, value } = await events.next();
        if (done) return undefined;
        const { event } = value;
        if (event.case === 'end') exit.code = event.value.exitCode;
        if (event.case !== 'data') continue;
        const { output } = event.value;
        if (output.case === 'stdout') return output.value;
        if (output.case === 'stderr') {
          exit.words = (exit.words + words.decode(output.value, { stream: true })).slice(0, maxWords);
        }
      }
    },
    exit: () => exit,
    leave,
    async kill() {
      leave();
      const process = { selector: { case: 'pid' as const, value: pid } };
      await upstream.call(Process.sendSignal, { process, signal: Signal.SIGKILL }).catch(() => undefined);
    },
  };
}

async function* processEvents(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): AsyncGenerator<ProcessEvent, void, undefined> {
  const splitter = new EnvelopeSplitter();
  for (;;) {
    const { done, value } = await nextPiece(reader);
    if (done) throw upstreamFailed(new Error('the stream of a process broke off'));
    for (const event of decoded(splitter, value)) {
      if (event === 'end') return;
      yield event;
    }
  }
}

/** What is in a piece of the stream. What cannot be read was not written by envd. */
function decoded(splitter: EnvelopeSplitter, piece: Uint8Array): (ProcessEvent | 'end')[] {
  try {
    return [...splitter.push(piece)].flatMap(({ flags, payload }) => {
      if ((flags & endStreamFlag) === 0) return fromBinary(StartResponse, payload).event ?? [];
      const { error } = JSON.parse(new TextDecoder().decode(payload)) as { error?: { message?: string } };
      if (error) throw new Error(`envd: ${error.message}`);
      return 'end' as const;
    });
  } catch (error) {
    throw upstreamFailed(error);
  }
}

async function nextPiece(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<ReadableStreamReadResult<Uint8Array>> {
  try {
    return await reader.read();
  } catch (error) {
    throw upstreamFailed(error);
  }
}
