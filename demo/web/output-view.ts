import { make } from './dom.js';

/** How much output is kept on the page, in characters. */
const keptLength = 200_000;

/** What a command prints, as it comes; its errors in another colour. Old output goes when there is too much. */
export class OutputView {
  readonly #element: HTMLElement;
  #length = 0;

  constructor(element: HTMLElement) {
    this.#element = element;
  }

  clear(): void {
    this.#element.replaceChildren();
    this.#element.hidden = true;
    this.#length = 0;
  }

  add(kind: 'stdout' | 'stderr', data: string): void {
    const box = this.#element;
    box.hidden = false;
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 24;
    const text = withoutControls(data);
    const last = box.lastElementChild;
    // Appending to a text is cheaper than one element for each piece, and old pieces are to be dropped singly.
    if (last?.className === kind && (last.textContent?.length ?? 0) < 4_096) last.append(text);
    else box.append(make('span', kind, text));
    this.#length += text.length;
    this.#trim();
    if (atEnd) box.scrollTop = box.scrollHeight;
  }

  #trim(): void {
    while (this.#length > keptLength && this.#element.firstElementChild) {
      this.#length -= this.#element.firstElementChild.textContent?.length ?? 0;
      this.#element.firstElementChild.remove();
    }
  }
}

/** Colours and cursor movements are for terminals. */
function withoutControls(text: string): string {
  return text
    .replace(/\x1b(?:\[[\d;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])/g, '')
    .replace(/\r\n/g, '\n');
}
