import type { ProcessEvent } from './messages/process.js';

/** What a process stream says, without the nesting that it has on the wire. */
export type ProcessOutput =
  | { type: 'stdout' | 'stderr' | 'pty'; data: Uint8Array }
  | {
      type: 'end';
      /** The exit status; -1 when a signal ended the process. */
      exitCode: number;
      /** envd's words: `exit status 0`, `signal: killed`. */
      status: string;
      /** The same words, for an end other than exit status 0. */
      error?: string;
    };

/** What an event says; nothing for those that only begin a stream or keep it alive. */
export function decodeProcessEvent(message: ProcessEvent | undefined): ProcessOutput | undefined {
  const event = message?.event;
  if (event?.case === 'data') {
    const { output } = event.value;
    return output.case && { type: output.case, data: output.value };
  }
  if (event?.case === 'end') {
    const { exitCode, status, error } = event.value;
    return { type: 'end', exitCode, status, ...(error !== undefined && { error }) };
  }
  return undefined;
}
