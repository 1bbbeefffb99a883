/// <reference lib="esnext.disposable" preserve="true" />

import { Unicode11Addon } from '@xterm/addon-unicode11';
import { Terminal } from '@xterm/xterm';
import type { ChannelStatus } from '../channel/channel.js';
import type { PtyHandle } from '../sandbox/pty-handle.js';
import { ChannelAddon } from './channel-addon.js';
import { type Fitting, fitToElement } from './fit-to-element.js';
import { InputNotice } from './input-notice.js';
import { type TerminalLabels, terminalLabels } from './labels.js';
import { onWake } from './on-wake.js';
import type { OpenTerminalOptions, TerminalStatus } from './open-options.js';
import { StatusNotice } from './status-notice.js';
import { TerminalFrame } from './terminal-frame.js';
import type { TerminalSandbox } from './terminal-sandbox.js';
import { followColorScheme } from './themes.js';

const systemMonospace = 'ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace';

/** A terminal in a page, joined to a shell of a sandbox. Made by `openTerminal()`. */
export class SandboxTerminal {
  /** The xterm.js terminal, for its own settings and addons. */
  readonly terminal: Terminal;
  readonly #sandbox: TerminalSandbox;
  readonly #options: OpenTerminalOptions;
  readonly #labels: TerminalLabels;
  readonly #frame: TerminalFrame;
  readonly #inputNotice: InputNotice;
  readonly #statusNotice: StatusNotice;
  readonly #fitting: Fitting;
  readonly #cleanups: (() => void)[] = [];
  #handle: PtyHandle | undefined;
  #detach: (() => void) | undefined;
  #addon: ChannelAddon | undefined;
  #status: TerminalStatus = { state: 'connecting' };
  /** Of two attempts at once the newer one counts. */
  #attempt = 0;
  readonly #disposing = new AbortController();

  constructor(sandbox: TerminalSandbox, parent: HTMLElement, options: OpenTerminalOptions) {
    this.#sandbox = sandbox;
    this.#options = options;
    this.#labels = terminalLabels(options.labels);
    this.#frame = new TerminalFrame(parent, this.#labels);
    this.terminal = new Terminal({
      cursorBlink: !matchMedia('(prefers-reduced-motion: reduce)').matches,
      fontFamily: options.fontFamily ?? systemMonospace,
      fontSize: options.fontSize ?? 14,
      // At 1.0 the rows of some fonts (DejaVu) are rounded down, and cut off underscores.
      lineHeight: 1.1,
      // Programs choose colours without knowing the background: keep their text readable on both.
      minimumContrastRatio: 4.5,
      screenReaderMode: options.screenReaderMode ?? false,
      scrollback: options.scrollback ?? 5000,
      // xterm's name for what `unicode` is part of.
      allowProposedApi: true,
    });
    // As wide as the programs in the sandbox take characters to be: by xterm's own table an emoji is one cell, by theirs two.
    this.terminal.loadAddon(new Unicode11Addon());
    this.terminal.unicode.activeVersion = '11';
    this.#followTheme(options);
    this.#frame.open(this.terminal, this.#labels);
    this.#inputNotice = new InputNotice(this.#frame.input, this.#labels, (data) => this.#addon?.send(data));
    this.#statusNotice = new StatusNotice(this.#frame.status, this.#labels, {
      reconnect: () => this.reconnect(),
      reopen: () => void this.reopen(),
      // Where it may not, the status says so.
      takeOver: () => void this.takeOver().catch(() => undefined),
      ...(options.restart && { restart: () => void this.restart() }),
    });
    this.#fitting = fitToElement(this.terminal, this.#frame.screen, () => !this.#watches);
    this.#cleanups.push(
      this.#fitting.stop,
      onWake(() => this.reconnect()),
    );
  }

  /** The process id of the shell: keep it to come back to the same shell later. */
  get pid(): number | undefined {
    return this.#handle?.pid;
  }

  get status(): TerminalStatus {
    return this.#status;
  }

  /** Starts a shell, or goes back to the one given by `pid`. Rejects with what the sandbox answered. */
  async attach(pid?: number): Promise<void> {
    const attempt = ++this.#attempt;
    this.#detach?.();
    this.terminal.reset();
    this.#setStatus({ state: 'connecting' });
    const { cols, rows } = this.terminal;
    const handle = await this.#openShell(pid, { cols, rows });
    if (this.#disposed || attempt !== this.#attempt) return handle.disconnect();
    this.#join(handle);
    if (this.terminal.cols !== cols || this.terminal.rows !== rows) {
      // One who watches has the size that it was opened with, until it is told another.
      if (this.#watches) this.terminal.resize(cols, rows);
      else handle.channel.resize({ cols: this.terminal.cols, rows: this.terminal.rows });
    }
  }

  /** Goes back to this terminal's shell, from where it was taken over or lost. */
  async reopen(): Promise<void> {
    await this.#attachAgain(this.pid);
  }

  /** Starts a new shell in the same place; the old one is let go of, not killed. */
  async restart(): Promise<void> {
    await this.#attachAgain(undefined);
  }

  /**
   * Takes the writing over from the window that has it, which watches from then on.
   * @throws {PermissionDeniedError} code `read_only`: the session may only watch.
   */
  async takeOver(): Promise<void> {
    await this.#handle?.channel.sharing?.takeOver();
    this.focus();
  }

  /** Tries at once where the link waits to reconnect. */
  reconnect(): void {
    this.#handle?.channel.reconnect();
  }

  focus(): void {
    this.terminal.focus();
  }

  /** Takes the terminal out of the page and lets go of the shell, which lives on. Safe to call again. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposing.abort();
    this.#detach?.();
    for (const cleanup of this.#cleanups) cleanup();
    this.terminal.dispose();
    this.#frame.root.remove();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Whether another window writes, in whose size the terminal is shown then. */
  get #watches(): boolean {
    return this.#status.state === 'open' && this.#status.mode === 'read';
  }

  get #disposed(): boolean {
    return this.#disposing.signal.aborted;
  }

  #followTheme(options: OpenTerminalOptions): void {
    const apply = (theme: NonNullable<OpenTerminalOptions['theme']>): void => {
      this.terminal.options.theme = theme;
      this.#frame.root.style.backgroundColor = theme.background ?? '#000';
    };
    if (options.theme) apply(options.theme);
    else this.#cleanups.push(followColorScheme(apply));
  }

  #openShell(pid: number | undefined, size: { cols: number; rows: number }): Promise<PtyHandle> {
    const { cwd, envs, timeoutMs, requestTimeoutMs } = this.#options;
    const call = {
      ...size,
      signal: this.#disposing.signal,
      ...(requestTimeoutMs !== undefined && { requestTimeoutMs }),
    };
    if (pid !== undefined) return this.#sandbox.pty.connect(pid, call);
    return this.#sandbox.pty.create({
      ...call,
      ...(cwd !== undefined && { cwd }),
      ...(envs !== undefined && { envs }),
      ...(timeoutMs !== undefined && { timeoutMs }),
    });
  }

  #join(handle: PtyHandle): void {
    const addon = new ChannelAddon(handle.channel, {
      gapNotice: this.#labels.gap,
      onExit: ({ exitCode, status }) => this.#setStatus({ state: 'exited', exitCode, status }),
      onClose: (error) => this.#setStatus({ state: 'closed', ...(error !== undefined && { error }) }),
      onInputRejected: (input) => this.#inputNotice.add(input),
    });
    const { channel, pid } = handle;
    const { sharing } = channel;
    const follow = (status: ChannelStatus): void => {
      // The end comes from the addon, after the last output is on the screen.
      if (status.state === 'open')
        this.#setStatus({
          state: 'open',
          pid,
          mode: sharing?.mode ?? 'write',
          mayWrite: sharing?.mayWrite ?? true,
        });
      else if (status.state === 'reconnecting') this.#setStatus(status);
    };
    this.#handle = handle;
    this.#addon = addon;
    this.terminal.loadAddon(addon);
    const unfollow = channel.onStatus(follow);
    const unfollowMode = sharing?.onMode(() => channel.status.state === 'open' && follow(channel.status));
    this.#detach = () => {
      unfollow();
      unfollowMode?.();
      addon.dispose();
      void handle.disconnect();
      this.#detach = undefined;
    };
    follow(channel.status);
  }

  async #attachAgain(pid: number | undefined): Promise<void> {
    const attempt = this.#attempt + 1;
    try {
      await this.attach(pid);
      this.focus();
    } catch (error) {
      if (attempt === this.#attempt) this.#setStatus({ state: 'closed', error });
    }
  }

  #setStatus(status: TerminalStatus): void {
    if (this.#disposed) return;
    const ended = status.state === 'exited' || status.state === 'closed';
    this.#status = status;
    this.terminal.options.disableStdin = ended || this.#watches || status.state === 'connecting';
    this.#frame.markWatching(this.#watches);
    // A size that it got while it watched is another window's.
    this.#fitting.fit();
    this.#frame.markEnded(ended);
    if (ended) this.#inputNotice.clear();
    this.#statusNotice.show(status);
    this.#options.onStatus?.(status);
  }
}
