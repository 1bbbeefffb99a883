import { terminalLabels } from './labels.js';
import type { OpenTerminalOptions, TerminalStatus } from './open-options.js';
import { openTerminal } from './open-terminal.js';
import type { SandboxTerminal } from './sandbox-terminal.js';
import { StatusNotice } from './status-notice.js';
import { TerminalFrame } from './terminal-frame.js';
import type { TerminalSandbox } from './terminal-sandbox.js';

/** Gets a sandbox by the address of a broker. */
export type ConnectSandbox = (sessionUrl: string, sandboxId?: string) => Promise<TerminalSandbox>;

// Pages are rendered on servers too, where there are no elements to extend.
const Base: typeof HTMLElement = globalThis.HTMLElement ?? (class {} as unknown as typeof HTMLElement);

/**
 * `<sandbox-terminal>`: a terminal as an element. It is given a sandbox by the property `sandbox`, or by the attribute
 * `session-url`, the address of a broker (with `sandbox-id` for one that runs already). It opens when it has a sandbox
 * and is in the document, goes away with it, and comes back to the same shell when it is moved.
 *
 * Attributes, read when it opens: `session-url`, `sandbox-id`, `pid` (a running shell), `cwd`, `font-size`,
 * `font-family`, `scrollback`, `screen-reader`, `restart` (offer a new shell), `label` (the accessible name).
 *
 * Events: `status` (`detail` is a `TerminalStatus`), `exit` (`detail` is `{ exitCode, status }`), `error` (`detail` is
 * the error). It lives in the light DOM, so that the page's own copy of `xterm.css` applies.
 */
export class SandboxTerminalElement extends Base {
  static connect: ConnectSandbox | undefined;

  #sandbox: TerminalSandbox | undefined;
  #view: SandboxTerminal | undefined;
  #pid: number | undefined;
  /** Ends what belongs to the present opening. */
  #opening: AbortController | undefined;

  get sandbox(): TerminalSandbox | undefined {
    return this.#sandbox;
  }

  set sandbox(sandbox: TerminalSandbox | undefined) {
    this.#sandbox = sandbox;
    this.#pid = undefined;
    if (this.isConnected) this.#restart();
  }

  /** The open terminal, or undefined before it is there. */
  get view(): SandboxTerminal | undefined {
    return this.#view;
  }

  connectedCallback(): void {
    // A property that was set before this class was there hides the accessor.
    if (Object.hasOwn(this, 'sandbox')) {
      const sandbox = this.sandbox;
      delete (this as { sandbox?: unknown }).sandbox;
      this.#sandbox = sandbox;
    }
    this.#restart();
  }

  disconnectedCallback(): void {
    this.#close();
  }

  override focus(): void {
    this.#view?.focus();
  }

  #restart(): void {
    this.#close();
    if (!this.#sandbox && !this.hasAttribute('session-url')) return;
    this.#opening = new AbortController();
    void this.#open(this.#opening.signal);
  }

  async #open(signal: AbortSignal): Promise<void> {
    try {
      const sandbox = this.#sandbox ?? (await this.#connect());
      if (signal.aborted) return;
      this.#sandbox = sandbox;
      const view = await openTerminal(sandbox, this, this.#options(signal));
      if (signal.aborted) return view.dispose();
      this.#view = view;
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    }
  }

  /** There is no terminal that could say it. */
  #fail(error: unknown): void {
    const status: TerminalStatus = { state: 'closed', error };
    const labels = terminalLabels();
    const frame = new TerminalFrame(this, labels);
    const again = (): void => this.#restart();
    new StatusNotice(frame.status, labels, { reconnect: again, reopen: again, takeOver: again }).show(status);
    this.#report(status);
  }

  #connect(): Promise<TerminalSandbox> {
    const connect = SandboxTerminalElement.connect;
    if (!connect) throw new Error('Nothing to reach session-url with: import e2b-edge/terminal/element.');
    return connect(this.getAttribute('session-url') ?? '', this.getAttribute('sandbox-id') ?? undefined);
  }

  #close(): void {
    this.#opening?.abort();
    this.#view?.dispose();
    this.#view = undefined;
    this.replaceChildren();
  }

  #options(signal: AbortSignal): OpenTerminalOptions {
    const pid = this.#pid ?? this.#number('pid');
    const fontSize = this.#number('font-size');
    const scrollback = this.#number('scrollback');
    const fontFamily = this.getAttribute('font-family');
    const cwd = this.getAttribute('cwd');
    const label = this.getAttribute('label');
    return {
      ...(pid !== undefined && { pid }),
      ...(fontSize !== undefined && { fontSize }),
      ...(scrollback !== undefined && { scrollback }),
      ...(fontFamily !== null && { fontFamily }),
      ...(cwd !== null && { cwd }),
      ...(label !== null && { labels: { terminal: label } }),
      signal,
      screenReaderMode: this.hasAttribute('screen-reader'),
      restart: this.hasAttribute('restart'),
      onStatus: (status) => {
        if (!signal.aborted) this.#report(status);
      },
    };
  }

  #number(name: string): number | undefined {
    const value = Number(this.getAttribute(name) ?? Number.NaN);
    return Number.isFinite(value) ? value : undefined;
  }

  #report(status: TerminalStatus): void {
    if (status.state === 'open') this.#pid = status.pid;
    this.#emit('status', status);
    if (status.state === 'exited') this.#emit('exit', { exitCode: status.exitCode, status: status.status });
    if (status.state === 'closed' && status.error !== undefined) this.#emit('error', status.error);
  }

  #emit(type: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
