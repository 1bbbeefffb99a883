import type { RunningCommand, Sandbox } from 'e2b-edge/browser';
import { byId, say } from './dom.js';
import { OutputView } from './output-view.js';
import { explain } from './words.js';

/** After Stop, programs that the command started may keep its output open: they are waited for this long. */
const stopPatienceMs = 2_000;

/** Runs one command at a time and shows its output while it comes. */
export class CommandPane {
  readonly #sandbox: Sandbox;
  readonly #listeners: { onError: (error: unknown) => void; onDone: () => void };
  readonly #line = byId<HTMLInputElement>('command-line');
  readonly #run = byId<HTMLButtonElement>('command-run');
  readonly #stop = byId<HTMLButtonElement>('command-stop');
  readonly #state = byId('command-state');
  readonly #output = new OutputView(byId('command-output'));

  constructor(sandbox: Sandbox, listeners: { onError: (error: unknown) => void; onDone: () => void }) {
    this.#sandbox = sandbox;
    this.#listeners = listeners;
    byId<HTMLFormElement>('command-form').onsubmit = (event) => {
      event.preventDefault();
      const command = this.#line.value.trim();
      if (command && !this.#run.disabled) void this.#start(command);
    };
  }

  async #start(command: string): Promise<void> {
    this.#setRunning(true);
    this.#output.clear();
    say(this.#state, 'Running…');
    try {
      const handle = await this.#sandbox.commands.run(command, { background: true, maxRetainedBytes: 0 });
      const stopped = this.#offerStop(handle);
      await this.#show(handle, stopped);
    } catch (error) {
      say(this.#state, explain(error).text, true);
      this.#listeners.onError(error);
    } finally {
      this.#setRunning(false);
      this.#listeners.onDone();
    }
  }

  async #show(handle: RunningCommand, stopped: AbortSignal): Promise<void> {
    try {
      for await (const event of handle) {
        if (event.type === 'gap') say(this.#state, `Some output is missing: ${event.reason}.`, true);
        else if (event.type !== 'exit') this.#output.add(event.type, event.data);
        else if (stopped.aborted) say(this.#state, 'Stopped.');
        else say(this.#state, ended(event.exitCode, event.error), event.exitCode !== 0);
      }
    } catch (error) {
      if (!stopped.aborted) throw error;
      say(this.#state, 'Stopped. What the command had started may still run.');
    }
  }

  #offerStop(handle: RunningCommand): AbortSignal {
    const stopping = new AbortController();
    this.#stop.hidden = false;
    this.#stop.onclick = async () => {
      stopping.abort();
      say(this.#state, 'Stopping…');
      await handle.kill().catch((error: unknown) => this.#listeners.onError(error));
      setTimeout(() => void handle.disconnect(), stopPatienceMs);
    };
    return stopping.signal;
  }

  #setRunning(running: boolean): void {
    this.#run.disabled = running;
    if (!running) this.#stop.hidden = true;
  }
}

function ended(exitCode: number, error?: string): string {
  if (exitCode === 127) return 'Exit code 127: there is no such command.';
  return exitCode < 0 ? `Ended by a ${error ?? 'signal'}.` : `Exit code ${exitCode}.`;
}
