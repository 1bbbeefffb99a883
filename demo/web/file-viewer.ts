import type { EntryInfo, Sandbox } from 'e2b-edge/browser';
import { byId, say } from './dom.js';
import { fileSize } from './file-size.js';
import { asText, readStart } from './read-start.js';
import { explain } from './words.js';

/** How much of a file is shown. */
const shownBytes = 256 * 1024;

/** Shows one file of the sandbox as text, over the page. */
export class FileViewer {
  readonly #sandbox: Sandbox;
  readonly #dialog = byId<HTMLDialogElement>('file-dialog');
  readonly #message = byId('file-message');
  readonly #text = byId('file-text');
  /** Ends the reading of a file that is not looked at any more. */
  #reading = new AbortController();

  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox;
    byId('file-close').addEventListener('click', () => this.#dialog.close());
    this.#dialog.addEventListener('close', () => {
      // The event comes late: another file may be open by then.
      if (!this.#dialog.open) this.#reading.abort();
    });
  }

  async open(entry: EntryInfo): Promise<void> {
    this.#reading.abort();
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    byId('file-title').textContent = entry.path;
    this.#text.hidden = true;
    say(this.#message, 'Reading…');
    if (!this.#dialog.open) this.#dialog.showModal();
    try {
      const stream = await this.#sandbox.files.read(entry.path, { format: 'stream', signal });
      const start = await readStart(stream, shownBytes);
      if (signal.aborted) return;
      const text = asText(start);
      if (text === undefined) return say(this.#message, this.#binary(entry));
      this.#text.textContent = text;
      this.#text.hidden = text === '';
      say(this.#message, this.#summary(entry, text, start.whole));
    } catch (error) {
      if (!signal.aborted) say(this.#message, explain(error).text, true);
    }
  }

  #binary(entry: EntryInfo): string {
    return `This is not a text file (${fileSize(entry.size)}), so it cannot be shown.`;
  }

  #summary(entry: EntryInfo, text: string, whole: boolean): string {
    if (text === '') return 'This file is empty.';
    const size = fileSize(entry.size);
    return whole ? size : `The first ${fileSize(shownBytes)} of ${size}.`;
  }
}
