import { OutputDecoder } from './output-decoder.js';
import type { OutputEntry, OutputPiece } from './output-log.js';

/** Who wants to hear of output. May be asynchronous: the next piece waits for it. */
export interface OutputListeners {
  onStdout?: (data: string) => void | Promise<void>;
  onStderr?: (data: string) => void | Promise<void>;
}

/** Hands one kind of output on as text. */
export class TextListener {
  readonly #type: OutputPiece['type'];
  readonly #listener: OutputListeners['onStdout'];
  readonly #decoder = new OutputDecoder();

  constructor(type: OutputPiece['type'], listener: OutputListeners['onStdout']) {
    this.#type = type;
    this.#listener = listener;
  }

  async hear(entry: OutputEntry): Promise<void> {
    if (!this.#listener) return;
    if (entry.type === 'gap') await this.#say(this.#decoder.gap());
    else if (entry.type === this.#type) await this.#say(this.#decoder.decode(entry.data));
  }

  /** What is left of a character that never became whole. */
  async end(): Promise<void> {
    await this.#say(this.#decoder.end());
  }

  async #say(text: string): Promise<void> {
    if (text) await this.#listener?.(text);
  }
}
