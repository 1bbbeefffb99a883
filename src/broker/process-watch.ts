/** Learns from what a process prints that it is still there, so that its listener's typing needs no looking up. */

import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { isMessage } from '@bufbuild/protobuf';
import {
  ConnectRequestSchema,
  StartRequestSchema,
  StartResponseSchema,
} from '../wire/gen/process/process_pb.js';
import { kindOfTag, tagOf } from './process-guard.js';
import { decodeMessage, envelopeHeadBytes, type RpcContentType } from './rpc-message.js';
import type { CallContext } from './rpc-policy.js';

/** What is to see each piece of the stream that answers an admitted message; undefined for other messages. */
export async function processWatch(
  message: MessageShape<DescMessage>,
  type: RpcContentType,
  { processes, upstream, claims: { sub } }: CallContext,
): Promise<((chunk: Uint8Array) => void) | undefined> {
  if (isMessage(message, ConnectRequestSchema)) {
    const pid = message.process?.selector.value as number;
    const kind = await processes.kindOf(upstream, sub, pid);
    return kind && (() => processes.alive(upstream, sub, pid, kind));
  }
  if (!isMessage(message, StartRequestSchema)) return undefined;
  const kind = kindOfTag(message.tag, await tagOf(sub, upstream.user));
  let pid: number | undefined;
  let isFirst = true;
  return (chunk) => {
    if (isFirst) pid = startedPid(chunk, type);
    isFirst = false;
    if (kind && pid !== undefined) processes.alive(upstream, sub, pid, kind);
  };
}

/** The process id in a stream's first message, where that comes in one piece; else it is looked up when it is needed. */
function startedPid(chunk: Uint8Array, type: RpcContentType): number | undefined {
  try {
    const length = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength).getUint32(1);
    const { event } = decodeMessage(StartResponseSchema, type, chunk.subarray(0, envelopeHeadBytes + length));
    return event?.event.case === 'start' ? event.event.value.pid : undefined;
  } catch {
    return undefined;
  }
}
