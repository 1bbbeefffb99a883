import type { Sandbox } from 'e2b-edge/browser';
import { isE2BEdgeError } from 'e2b-edge/errors';
import { openTerminal, type SandboxTerminal, type TerminalStatus } from 'e2b-edge/terminal';
import { byId } from './dom.js';
import { forgetShell, rememberedShell, rememberShell } from './tab-state.js';

/** How long the shell must be quiet before what it did is worth looking at, in milliseconds. */
const quietMs = 400;

/** The live terminal: this tab's shell of before, or a new one. */
export async function openTerminalPane(
  sandbox: Sandbox,
  listeners: { onStatus: (status: TerminalStatus) => void; onQuiet: () => void },
): Promise<SandboxTerminal> {
  const { sandboxId } = sandbox;
  const open = (pid?: number): Promise<SandboxTerminal> =>
    openTerminal(sandbox, byId('terminal'), {
      ...(pid !== undefined && { pid }),
      restart: true,
      onStatus: (status) => {
        if (status.state === 'open') rememberShell(sandboxId, status.pid);
        if (status.state === 'exited') forgetShell(sandboxId);
        listeners.onStatus(status);
      },
    });

  const pid = await rememberedShell(sandboxId);
  const view = await open(pid).catch((error: unknown) => {
    const gone = isE2BEdgeError(error, 'process_not_found') || isE2BEdgeError(error, 'not_found');
    if (pid === undefined || !gone) throw error;
    forgetShell(sandboxId);
    return open();
  });

  let quiet: ReturnType<typeof setTimeout> | undefined;
  view.terminal.onLineFeed(() => {
    clearTimeout(quiet);
    quiet = setTimeout(listeners.onQuiet, quietMs);
  });
  return view;
}
