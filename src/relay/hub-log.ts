import type { Traffic } from './attachment.js';
import type { RelayAccess, RelayLogEvent } from './relay-api.js';

/** Says what happens at one terminal. */
export type HubLog = (
  event: RelayLogEvent['event'],
  access?: RelayAccess,
  detail?: string,
  traffic?: Traffic,
) => void;

export function hubLog(
  log: (event: RelayLogEvent) => void,
  { sandboxId, pid }: { sandboxId: string; pid: number },
): HubLog {
  return (event, access, detail, traffic) =>
    log({
      event,
      sandboxId,
      pid,
      ...(access && { sessionId: access.sessionId, subject: access.subject }),
      ...(detail !== undefined && { detail }),
      ...traffic,
    });
}
