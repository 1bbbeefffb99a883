import type { IDisposable, ITerminalAddon, Terminal } from '@xterm/xterm';
import type { Channel, ChannelEvent, ExitEvent, GapEvent, PtySize } from '../channel/channel.js';
import { InputSender, type RejectedInput } from './input-sender.js';
import { OutputWriter } from './output-writer.js';
import { isTerminalReply } from './terminal-reply.js';

/** Settings of a `ChannelAddon`. */
export interface ChannelAddonOptions {
  /** How many bytes may wait for xterm's parser before the channel is held back. Default 128 KiB. */
  highWaterBytes?: number;
  /** The line shown where output was lost; the screen is reset before it. */
  gapNotice?: (gap: GapEvent) => string;
  onExit?: (event: ExitEvent) => void;
  /** What was typed and did not, or may not have, reached the program. */
  onInputRejected?: (input: RejectedInput) => void;
  /** The channel ended without an exit: closed by its owner, or broken for good, with an error. */
  onClose?: (error?: unknown) => void;
}

/**
 * An xterm.js addon that joins a terminal and a channel: output one way, typed input and sizes the other. One that watches gets
 * the size of the window that writes. xterm's
 * write callback is the backpressure, so a fast program never runs further ahead than `highWaterBytes` and the
 * channel's own window. Disposing it leaves the channel open.
 */
export class ChannelAddon implements ITerminalAddon {
  readonly #channel: Channel;
  readonly #options: ChannelAddonOptions;
  readonly #listeners: IDisposable[] = [];
  #iterator: AsyncIterator<ChannelEvent> | undefined;
  #input: InputSender | undefined;
  #output: OutputWriter | undefined;
  #disposed = false;

  constructor(channel: Channel, options: ChannelAddonOptions = {}) {
    this.#channel = channel;
    this.#options = options;
  }

  activate(terminal: Terminal): void {
    const channel = this.#channel;
    const encoder = new TextEncoder();
    const input = new InputSender(channel, (rejected) => {
      if (!this.#disposed) this.#options.onInputRejected?.(rejected);
    });
    const output = new OutputWriter(terminal, this.#options.highWaterBytes ?? 128 * 1024, (offset) => {
      if (!this.#disposed) channel.ack(offset);
    });
    this.#input = input;
    this.#output = output;
    this.#listeners.push(
      terminal.onData((data) => {
        // A program that asked long ago, in what is only shown again, does not wait for an answer any more: the
        // answer would be typed into whatever runs now.
        if (output.replaying && isTerminalReply(data)) return;
        input.send(encoder.encode(data));
      }),
      terminal.onBinary((data) => input.send(Uint8Array.from(data, (character) => character.charCodeAt(0)))),
      // One who watches has the size of the window that writes, and wishes for none.
      terminal.onResize(
        ({ cols, rows }) => channel.sharing?.mode !== 'read' && channel.resize({ cols, rows }),
      ),
    );
    const unfollow = channel.sharing?.onMode((mode) => mode === 'write' && channel.resize(sizeOf(terminal)));
    if (unfollow) this.#listeners.push({ dispose: unfollow });
    void this.#read(terminal, output);
  }

  /** Sends bytes as if they were typed. */
  send(data: Uint8Array): void {
    this.#input?.send(data);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const listener of this.#listeners) listener.dispose();
    this.#output?.stop();
    void this.#iterator?.return?.();
  }

  async #read(terminal: Terminal, output: OutputWriter): Promise<void> {
    const channel = this.#channel;
    this.#iterator = channel[Symbol.asyncIterator]();
    try {
      for (;;) {
        const { done, value } = await this.#iterator.next();
        if (this.#disposed) return;
        if (done) return this.#options.onClose?.();
        if (value.type === 'output') {
          await output.write(value, channel.replayUntil);
        } else {
          await output.drained();
          if (this.#disposed) return;
          if (value.type === 'exit') return this.#end(value);
          if (value.type === 'gap') this.#showGap(terminal, value);
          else if (channel.sharing?.mode === 'read') terminal.resize(value.cols, value.rows);
        }
      }
    } catch (error) {
      if (!this.#disposed) this.#options.onClose?.(error);
    }
  }

  #showGap(terminal: Terminal, gap: GapEvent): void {
    terminal.reset();
    const notice = this.#options.gapNotice?.(gap) ?? 'Some output is missing here.';
    terminal.write(`\x1b[7m ${notice} \x1b[0m\r\n`);
  }

  #end(event: ExitEvent): void {
    this.#input?.drop();
    this.#options.onExit?.(event);
  }
}

function sizeOf({ cols, rows }: PtySize): PtySize {
  return { cols, rows };
}
