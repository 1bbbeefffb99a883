import type { Gap, Hello } from '../wire/pty-messages.js';
import type { History } from './history.js';

/** Where the output goes on for a client. */
export interface ResumePoint {
  from: number;
  /** What the client misses before that. */
  gap?: Gap;
  /** Whether it had seen a screen that is not right any more, so that programs have to paint theirs again. */
  repaint: boolean;
}

/** Where a client goes on, by what its HELLO says it has. */
export function resumePoint({ have, epoch }: Hello, current: string, history: History): ResumePoint {
  const { tail, head } = history;
  const sameEpoch = epoch === undefined ? have === 0 : epoch === current;
  if (sameEpoch && have >= tail && have <= head) return { from: have, repaint: false };
  const from = history.lineStart();
  if (epoch === undefined) {
    const reason = 'the beginning of the output is no longer kept';
    return { from, gap: { from: 0, to: from, reason }, repaint: false };
  }
  const gap = sameEpoch
    ? { from: have, to: from, reason: 'older output is no longer kept' }
    : { from: have, to: null, reason: 'the relay was started anew' };
  return { from, gap, repaint: true };
}
