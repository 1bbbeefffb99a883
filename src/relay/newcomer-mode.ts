import type { Hello, Mode } from '../wire/pty-messages.js';
import type { RelayAccess } from './relay-api.js';

/**
 * Whether a newcomer writes or watches.
 * @param order rises with each HELLO.
 */
export function newcomerMode(
  { access, hello, order }: { access: RelayAccess; hello: Hello; order: number },
  writer: { order: number } | undefined,
): Mode {
  if (access.mode === 'read') return { mode: 'read', reason: 'read_only' };
  if (hello.mode === 'read') return { mode: 'read' };
  // One who comes back takes nothing over: that is for a user to decide, not for a connection that was lost.
  const isTaken = writer && (hello.epoch !== undefined || writer.order > order);
  return isTaken ? { mode: 'read', reason: 'taken_over' } : { mode: 'write' };
}
