import type { Limits, Usage } from './limits.js';

/** What holds the processes of one sandbox together, envd included, as the host has it in its hands. */
export interface Enclosure {
  /** Stops everyone where they are. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** Kills everyone, frozen or not. Resolves when they have ended, and nothing is left of what held them. */
  end(): Promise<void>;
  /** Changes what is given of what they may use, as far as this host can limit it. */
  limit(limits: Partial<Limits>): Promise<void>;
  usage(): Promise<Usage>;
  /** Gives their network a way out, where this host has one. Once, when envd runs. */
  openInternet(): Promise<void>;
  /** Takes it away again. */
  closeInternet(): Promise<void>;
}
