import type { OutputGap } from './output-log.js';

/** Something that a running command did. */
export type CommandEvent =
  | {
      type: 'stdout' | 'stderr';
      /** As text; a character that is cut between two pieces comes with the second. */
      data: string;
      /** The same, exactly as it was printed. */
      bytes: Uint8Array;
    }
  | OutputGap
  | {
      /** Always the last. */
      type: 'exit';
      /** The exit status; -1 when a signal ended the command. */
      exitCode: number;
      /** envd's words for an end other than exit status 0. */
      error?: string;
    };
