/** Learns from what a process prints that it is still there, so that its listener's typing needs no looking up. */

import { envelopeHeadBytes } from '../wire/envelope.js';
import { type ConnectRequest, Process, type StartRequest, StartResponse } from '../wire/messages/process.js';
import { kindOfTag, tagOf } from './process-mark.js';
import { decodeMessage, type RpcContentType } from './rpc-message.js';
import type { CallContext, RpcPolicy } from './rpc-policy.js';
import { processOwner } from './session-token.js';

/** What is to see each piece of the stream that answers an admitted message; undefined for other methods. */
export async function processWatch(
  method: RpcPolicy['method'],
  message: unknown,
  type: RpcContentType,
  { processes, upstream, claims }: CallContext,
): Promise<((chunk: Uint8Array) => void) | undefined> {
  const owner = processOwner(claims);
  if (method === Process.connect) {
    const pid = (message as ConnectRequest).process?.selector.value as number;
    const kind = await processes.kindOf(upstream, owner, pid);
    return kind && (() => processes.alive(upstream, owner, pid, kind));
  }
  if (method !== Process.start) return undefined;
  const kind = kindOfTag((message as StartRequest).tag, await tagOf(owner, upstream.user));
  let pid: number | undefined;
  let isFirst = true;
  return (chunk) => {
    if (isFirst) pid = startedPid(chunk, type);
    isFirst = false;
    if (kind && pid !== undefined) processes.alive(upstream, owner, pid, kind);
  };
}

/** The process id in a stream's first message, where that comes in one piece; else it is looked up when it is needed. */
function startedPid(chunk: Uint8Array, type: RpcContentType): number | undefined {
  try {
    const length = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength).getUint32(1);
    const { event } = decodeMessage(StartResponse, type, chunk.subarray(0, envelopeHeadBytes + length));
    return event?.event.case === 'start' ? event.event.value.pid : undefined;
  } catch {
    return undefined;
  }
}
