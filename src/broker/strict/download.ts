/** A file in strict mode, as a program reads it. */

import { upstreamFailed } from '../refusals.js';
import { type Helper, startHelper } from './helper.js';
import { grantedPrefixes, placeOf } from './place.js';
import { programError } from './program-error.js';
import { readProgram } from './programs.js';
import type { StrictCall } from './strict-call.js';

/** As long as a session lasts. A page that is gone is noticed by other means. */
export const transferTimeoutMs = 28_800_000;
const maxLineBytes = 128;

/** What a program says of a file before its content; times in seconds. */
interface FileHead {
  size: number;
  time: number;
  first: number;
  count: number;
}

/** Answers a request for a file. One range and the conditions by time are heeded; others are answered by the whole file. */
export async function downloadStrictly(call: StrictCall, path: string, headers: Headers): Promise<Response> {
  const ifRange = headers.get('if-range');
  const unless = seconds(ifRange);
  const isUnsure = ifRange !== null && unless === undefined;
  const range = isUnsure ? undefined : rangeOf(headers.get('range'));
  const helper = await startHelper(call.upstream, {
    program: readProgram,
    args: [
      range?.first ?? '',
      range?.last ?? '',
      range && unless !== undefined ? String(unless) : '',
      ...placeOf(path, grantedPrefixes(call.grant, 'read')),
    ],
    timeoutMs: transferTimeoutMs,
    signal: call.signal,
  });
  const stop = (): void => {
    const stopped = helper.kill();
    call.waitUntil?.(stopped);
  };
  const { head, rest } = await readHead(helper, path, stop);
  const answer = {
    'accept-ranges': 'bytes',
    'content-type': 'application/octet-stream',
    'last-modified': new Date(head.time * 1000).toUTCString(),
  };
  const since = headers.has('if-none-match') ? undefined : seconds(headers.get('if-modified-since'));
  if (since !== undefined && head.time <= since) {
    stop();
    return new Response(null, { status: 304, headers: answer });
  }
  const isPart = range !== undefined && (unless === undefined || unless === head.time);
  const end = head.first + head.count - 1;
  return new Response(contentOf(helper, rest, head.count, stop), {
    status: isPart ? 206 : 200,
    headers: {
      ...answer,
      'content-length': String(head.count),
      ...(isPart && { 'content-range': `bytes ${head.first}-${end}/${head.size}` }),
    },
  });
}

/** Exactly so many bytes, at the pace of who reads them. */
function contentOf(
  helper: Helper,
  rest: Uint8Array,
  count: number,
  stop: () => void,
): ReadableStream<Uint8Array> | null {
  let missing = count;
  let next: Uint8Array | undefined = rest;
  if (count === 0) {
    helper.leave();
    return null;
  }
  const stopped = (error: unknown): never => {
    stop();
    throw error;
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const chunk = next?.length ? next : await helper.read().catch(stopped);
        next = undefined;
        // The file became shorter while it was read.
        if (!chunk) throw upstreamFailed(new Error(`${missing} bytes of a file are missing`));
        const piece = chunk.subarray(0, missing);
        missing -= piece.length;
        controller.enqueue(piece);
        if (missing > 0) return;
        controller.close();
        helper.leave();
      },
      cancel: stop,
    },
    { highWaterMark: 0 },
  );
}

async function readHead(
  helper: Helper,
  path: string,
  stop: () => void,
): Promise<{ head: FileHead; rest: Uint8Array }> {
  try {
    const { line, rest } = await firstLine(helper, path);
    return { head: headOf(line), rest };
  } catch (error) {
    // One that has ended said why; any other would go on.
    if (helper.exit().code < 0) stop();
    throw error;
  }
}

/** @throws by how the program ended, if there is no line. */
async function firstLine(helper: Helper, path: string): Promise<{ line: string; rest: Uint8Array }> {
  let bytes = new Uint8Array();
  for (;;) {
    const chunk = await helper.read();
    if (!chunk) throw programError(helper.exit(), path, 'file');
    const end = chunk.indexOf(10);
    const whole = new Uint8Array([...bytes, ...chunk.subarray(0, end < 0 ? maxLineBytes + 1 : end)]);
    if (whole.length > maxLineBytes) throw upstreamFailed(new Error('no line about a file'));
    if (end >= 0) return { line: new TextDecoder().decode(whole), rest: chunk.subarray(end + 1) };
    bytes = whole;
  }
}

function headOf(line: string): FileHead {
  const [, ...numbers] = /^(\d+) (-?\d+) (\d+) (\d+)$/.exec(line) ?? [];
  const [size, time, first, count] = numbers.map(Number);
  if (![size, time, first, count].every(Number.isSafeInteger))
    throw upstreamFailed(new Error(`"${line}" of a file`));
  return { size, time, first, count } as FileHead;
}

/** One range, as texts of plain numbers. What is none is as if it were not asked for. */
function rangeOf(header: string | null): { first: string; last: string } | undefined {
  const [, first = '', last = ''] = header?.match(/^bytes=(\d{0,15})-(\d{0,15})$/) ?? [];
  if (first === '' && last === '') return undefined;
  if (last !== '' && Number(first) > Number(last)) return undefined;
  // A shell takes a number that begins with 0 for an octal one.
  const plain = (digits: string): string => (digits === '' ? '' : String(Number(digits)));
  return { first: plain(first), last: plain(last) };
}

function seconds(date: string | null): number | undefined {
  const ms = date === null ? Number.NaN : Date.parse(date);
  return Number.isNaN(ms) ? undefined : Math.floor(ms / 1000);
}
