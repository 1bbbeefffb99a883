/** What a runtime cannot do, and why. A case that needs it is skipped there, and the reason is shown. */

import type { Runtime, Via } from './case.js';

export type Capability = 'large-memory';

const lacking: { runtime: Runtime; via?: Via; capability: Capability; reason: string }[] = [];

/** Why the capability is lacking there, or undefined when it is not. */
export function whyNot(capability: Capability, runtime: Runtime, via: Via): string | undefined {
  return lacking.find(
    (entry) =>
      entry.capability === capability &&
      entry.runtime === runtime &&
      (entry.via === undefined || entry.via === via),
  )?.reason;
}
