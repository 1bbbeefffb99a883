import type { Place } from './example.js';

/** How an example ended. */
export interface Outcome {
  /** The name of the error that it ended with. */
  error?: string;
  /** What it printed, for whom looks for the cause. */
  output: string;
}

/** A place in which examples run. */
export interface Runner {
  run(code: string): Promise<Outcome>;
  close(): Promise<void>;
}

export type Runners = Record<Place, Runner>;
