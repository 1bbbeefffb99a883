/** A page's program. Nothing runs it: it is compiled under several settings. */

import { fetchSession, isE2BEdgeError, Sandbox } from 'e2b-edge/browser';
import { NotFoundError } from 'e2b-edge/errors';
import { openTerminal } from 'e2b-edge/terminal';

export async function page(element: HTMLElement): Promise<string> {
  const sandbox = await Sandbox.connect({
    session: ({ sandboxId }) => fetchSession('/api/sandbox', { sandboxId }),
  });
  await openTerminal(sandbox, element);
  try {
    const blob: Blob = await sandbox.files.read('photo.png', { format: 'blob' });
    return URL.createObjectURL(blob);
  } catch (error) {
    if (error instanceof NotFoundError) return error.code;
    throw isE2BEdgeError(error, 'sandbox_ended') ? error.cause : error;
  }
}
