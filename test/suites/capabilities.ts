/** What a runtime cannot do, and why. A case that needs it is skipped there, and the reason is shown. */

import type { Runtime, Via } from './case.js';

export type Capability =
  /** `fetch` sends a body while it is still being made. */
  | 'streaming-uploads'
  /** `fetch` itself takes a stream for a body. */
  | 'streamed-requests'
  /** `fetch` sends a POST once, whatever becomes of the connection. */
  | 'single-sends'
  /** A create tells its key to the control plane, so that a request which is sent twice makes one sandbox. */
  | 'keyed-creates';

interface Lack {
  capability: Capability;
  /** Absent: whatever the runtime. */
  runtime?: Runtime;
  /** Absent: either way. */
  via?: Via;
  reason: string;
}

const lacking: Lack[] = [
  {
    capability: 'streaming-uploads',
    runtime: 'chromium',
    reason: 'Chromium sends streams by HTTP/2 alone, so the client collects them first',
  },
  {
    capability: 'streaming-uploads',
    via: 'session',
    reason: 'a session is for pages, so the client collects streams first',
  },
  {
    capability: 'streamed-requests',
    runtime: 'chromium',
    reason: 'Chromium sends streams by HTTP/2 alone',
  },
  {
    capability: 'keyed-creates',
    runtime: 'chromium',
    via: 'key',
    reason: 'not every control plane lets a page send the header of the key',
  },
  ...(['chromium', 'deno'] as const).map((runtime) => ({
    capability: 'single-sends' as const,
    runtime,
    via: 'key' as const,
    reason:
      'its fetch sends a POST again by itself when a connection that was used before closes without an answer',
  })),
];

/** Why the capability is lacking there, or undefined when it is not. */
export function whyNot(capability: Capability, runtime: Runtime, via: Via): string | undefined {
  return lacking.find(
    (lack) =>
      lack.capability === capability && (lack.runtime ?? runtime) === runtime && (lack.via ?? via) === via,
  )?.reason;
}
