import type { RejectedInput } from './input-sender.js';
import type { TerminalLabels } from './labels.js';
import type { Notice, NoticeAction } from './notice.js';

/** Tells the user about input that did not arrive, and sends it on only when they say so. */
export class InputNotice {
  readonly #notice: Notice;
  readonly #labels: TerminalLabels;
  readonly #send: (data: Uint8Array) => void;
  #unsent: Uint8Array[] = [];
  #uncertain = false;

  constructor(notice: Notice, labels: TerminalLabels, send: (data: Uint8Array) => void) {
    this.#notice = notice;
    this.#labels = labels;
    this.#send = send;
  }

  add({ data, error }: RejectedInput): void {
    if ((error as { code?: unknown } | undefined)?.code === 'input_uncertain') this.#uncertain = true;
    else this.#unsent.push(data);
    const labels = this.#labels;
    const words = [
      ...(this.#uncertain ? [labels.inputUncertain] : []),
      ...(this.#unsent.length > 0 ? [labels.inputNotSent] : []),
    ];
    const actions: NoticeAction[] = [{ label: labels.dismiss, run: () => this.clear() }];
    if (this.#unsent.length > 0) actions.unshift({ label: labels.sendAgain, run: () => this.#sendAgain() });
    this.#notice.show(words.join(' '), actions);
  }

  clear(): void {
    this.#unsent = [];
    this.#uncertain = false;
    this.#notice.hide();
  }

  #sendAgain(): void {
    const unsent = this.#unsent;
    this.clear();
    for (const data of unsent) this.#send(data);
  }
}
