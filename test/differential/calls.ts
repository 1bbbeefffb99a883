import type { JsonObject } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { fileCalls } from './file-calls.js';
import { filesystemCalls } from './filesystem-calls.js';
import { malformedCalls } from './malformed-calls.js';
import { conversations, processCalls } from './process-calls.js';

/** One thing that is asked of both servers. */
export type Call =
  | {
      readonly kind: 'rpc';
      readonly service: 'process.Process' | 'filesystem.Filesystem';
      readonly method: string;
      readonly codec: 'json' | 'proto';
      readonly message: JsonObject;
      readonly headers: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: 'http';
      readonly method: string;
      readonly path: string;
      readonly headers: Readonly<Record<string, string>>;
      /** Bytes as base64. */
      readonly body: string | undefined;
    }
  | {
      /** A process that is written to, and whose input is closed. */
      readonly kind: 'conversation';
      readonly codec: 'json' | 'proto';
      readonly command: readonly string[];
      readonly inputs: readonly string[];
    };

/** What a seed is made into: calls whose paths all lie below this directory. */
export function calls(scratch: string): fc.Arbitrary<Call> {
  return fc.oneof(
    { weight: 10, arbitrary: filesystemCalls(scratch) },
    { weight: 9, arbitrary: fileCalls(scratch) },
    { weight: 6, arbitrary: processCalls(scratch) },
    { weight: 1, arbitrary: conversations() },
    { weight: 2, arbitrary: malformedCalls(scratch) },
  );
}
