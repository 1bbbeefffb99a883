/** The demo's page: a live terminal in a sandbox, its files, and commands. */

import { fetchSession, Sandbox } from 'e2b-edge/browser';
import type { TerminalStatus } from 'e2b-edge/terminal';
import { Banner } from './banner.js';
import { CommandPane } from './command-pane.js';
import { byId } from './dom.js';
import { FilesPane } from './files-pane.js';
import { rememberedSandbox, rememberSandbox } from './tab-state.js';
import { openTerminalPane } from './terminal-pane.js';

const brokerUrl = '/api/sandbox';

const linkWords: Record<TerminalStatus['state'], string> = {
  connecting: 'Connecting…',
  open: 'Live',
  reconnecting: 'Reconnecting…',
  exited: 'Shell ended',
  closed: 'Disconnected',
};

const banner = new Banner({ retry: () => location.reload(), newSandbox: startAfresh });
let sandbox: Sandbox | undefined;

async function start(): Promise<void> {
  showLink('connecting');
  try {
    sandbox = await Sandbox.connect({
      session: (request) => {
        const sandboxId = request.sandboxId ?? rememberedSandbox();
        return fetchSession(brokerUrl, sandboxId === undefined ? {} : { sandboxId });
      },
    });
    showSandbox(sandbox.sandboxId);
    const files = new FilesPane(sandbox, (error) => banner.show(error));
    const refresh = (): void => void files.refresh();
    new CommandPane(sandbox, { onError: (error) => banner.show(error), onDone: refresh });
    refresh();
    const view = await openTerminalPane(sandbox, {
      onStatus: (status) => {
        // What could not be read while the link was down is not said any longer than that.
        if (status.state === 'open') refresh();
        terminalChanged(status);
      },
      onQuiet: refresh,
    });
    view.focus();
    // For the curious, in the browser's console.
    Object.assign(window, { demo: { sandbox, terminal: view } });
  } catch (error) {
    showLink('closed');
    banner.showAll(error);
  }
}

function terminalChanged(status: TerminalStatus): void {
  showLink(status.state);
  if (status.state === 'open') banner.hide();
  if (status.state === 'closed' && status.error !== undefined) banner.show(status.error);
}

function showLink(state: TerminalStatus['state']): void {
  const link = byId('link');
  link.textContent = linkWords[state];
  link.dataset.state = state;
}

function showSandbox(sandboxId: string): void {
  rememberSandbox(sandboxId);
  const label = byId('sandbox-id');
  label.textContent = sandboxId;
  label.hidden = false;
}

/** Another sandbox is another page: nothing of the old one stays behind. */
function startAfresh(): void {
  rememberSandbox(undefined);
  location.reload();
}

byId('new-sandbox').addEventListener('click', () => byId<HTMLDialogElement>('new-dialog').showModal());
byId('new-dialog').addEventListener('close', async () => {
  if (byId<HTMLDialogElement>('new-dialog').returnValue !== 'new') return;
  // One that cannot be reached any more ends by itself.
  await sandbox?.kill().catch(() => undefined);
  startAfresh();
});

void start();
