import { isE2BEdgeError } from '../errors.js';
import { bytesOf, type InputSource } from './input-source.js';
import type { ProcessControls } from './process-controls.js';

/**
 * Gives a command all of its input, and ends it. A command that wants no more of it is no failure: as with a pipe, what
 * is left goes nowhere.
 * @param signal ends the giving when the command has ended.
 * @throws what the source threw, or the connection: the command has half of its input then.
 */
export async function feedInput(
  controls: ProcessControls,
  pid: number,
  source: InputSource,
  signal: AbortSignal,
): Promise<void> {
  try {
    // How long a command takes to read is its own affair; it is over with the command.
    await controls.sendInput(pid, 'stdin', bytesOf(source), { signal, requestTimeoutMs: 0 });
    await controls.closeStdin(pid, { signal });
  } catch (error) {
    if (!signal.aborted && !wantsNoMore(error)) throw error;
  }
}

/** envd's answers to input for a pipe that is closed, and for a process that is gone. */
function wantsNoMore(error: unknown): boolean {
  return isE2BEdgeError(error, 'internal') || isE2BEdgeError(error, 'process_not_found');
}
