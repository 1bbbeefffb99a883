/** A page's request as it is put together, before it is sent. */

import { fromJson, type JsonValue, toBinary } from '@bufbuild/protobuf';
import { encodeEnvelope } from '../../../src/wire/envelope.js';
import type { Call } from '../arbitraries/calls.js';
import { procedures } from './arrived.js';

export interface Draft {
  method: string;
  /** Below where the broker is mounted, with the query. */
  path: string;
  /** Where it is not the broker's. */
  origin?: string;
  headers: [string, string][];
  body?: Uint8Array<ArrayBuffer> | undefined;
  /** The body's connection is lost before its end. */
  breaksOff?: boolean;
}

/** The request that a call makes when nothing is wrong with it. */
export function draftOf(call: Call, ids: { sandboxId: string; sessionId: string }): Draft {
  switch (call.kind) {
    case 'rpc':
      return rpcDraft(call, ids.sandboxId);
    case 'download':
      return { method: 'GET', path: `/envd/${ids.sandboxId}/files?${pathQuery(call.path)}`, headers: [] };
    case 'upload':
      return uploadDraft(call, ids.sandboxId);
    case 'join':
    case 'preview':
    case 'terminal':
      throw new Error(`a ${call.kind} is put together by itself`);
    case 'session':
      return {
        method: call.method,
        path: call.path.replace(':id', ids.sessionId),
        headers: call.method === 'GET' ? [] : [['content-type', 'application/json']],
        body: call.body === undefined ? undefined : bytesOf(JSON.stringify(call.body)),
      };
    case 'plain':
      return {
        method: call.method,
        path: call.path.replace(':sandbox', ids.sandboxId).replace(':id', ids.sessionId),
        headers: [],
      };
  }
}

function rpcDraft({ procedure, codec, message }: Extract<Call, { kind: 'rpc' }>, sandboxId: string): Draft {
  const method = procedures.get(procedure);
  if (!method) throw new Error(procedure);
  const streaming = method.methodKind !== 'unary';
  const bytes = codec === 'json' ? bytesOf(JSON.stringify(message)) : binary(procedure, message);
  return {
    method: 'POST',
    path: `/envd/${sandboxId}/${procedure}`,
    headers: [['content-type', `application/${streaming ? 'connect+' : ''}${codec}`]],
    body: streaming ? encodeEnvelope(0, bytes) : bytes,
  };
}

function binary(procedure: string, message: Record<string, unknown>): Uint8Array<ArrayBuffer> {
  const input = procedures.get(procedure)?.input;
  if (!input) throw new Error(procedure);
  // A lone half of a surrogate has no bytes; in JSON it goes out as it is.
  const text = JSON.stringify(message, (_, value: unknown) =>
    typeof value === 'string' ? wellFormed(value) : value,
  );
  return toBinary(input, fromJson(input, JSON.parse(text) as JsonValue));
}

function uploadDraft({ path, form, name }: Extract<Call, { kind: 'upload' }>, sandboxId: string): Draft {
  const part = `--b\r\ncontent-disposition: form-data; name="file"; filename="${name}"\r\n\r\nx\r\n--b--\r\n`;
  return {
    method: 'POST',
    path: `/envd/${sandboxId}/files?${pathQuery(path)}`,
    headers: [['content-type', form ? 'multipart/form-data; boundary=b' : 'application/octet-stream']],
    body: bytesOf(form ? part : 'x'),
  };
}

function pathQuery(path: string): string {
  return `path=${encodeURIComponent(wellFormed(path))}`;
}

/** Halves of surrogates have no bytes, so they are replaced. */
export function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}

export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
