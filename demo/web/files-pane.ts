import type { EntryInfo, Sandbox } from 'e2b-edge/browser';
import { byId, make, makeButton, say } from './dom.js';
import { fileSize } from './file-size.js';
import { FileViewer } from './file-viewer.js';
import { explain } from './words.js';

const home = '/home/user';

/** How many entries are shown: a page with tens of thousands of lines helps nobody. */
const shownEntries = 1_000;

/** The sandbox's files, one folder at a time. */
export class FilesPane {
  readonly #sandbox: Sandbox;
  readonly #viewer: FileViewer;
  readonly #onError: (error: unknown) => void;
  readonly #list = byId('files-list');
  readonly #path = byId('files-path');
  readonly #message = byId('files-message');
  #folder = home;
  #shown = '';
  #loading = new AbortController();

  constructor(sandbox: Sandbox, onError: (error: unknown) => void) {
    this.#sandbox = sandbox;
    this.#viewer = new FileViewer(sandbox);
    this.#onError = onError;
    byId('files-refresh').onclick = () => void this.refresh();
  }

  /** Looks at the folder again. */
  async refresh(): Promise<void> {
    await this.#show(this.#folder);
  }

  async #show(folder: string): Promise<void> {
    this.#loading.abort();
    this.#loading = new AbortController();
    const { signal } = this.#loading;
    try {
      const entries = await this.#sandbox.files.list(folder, { signal });
      if (signal.aborted) return;
      this.#folder = folder;
      this.#draw(entries);
    } catch (error) {
      if (signal.aborted) return;
      say(this.#message, `${folder}: ${explain(error).text}`, true);
      this.#onError(error);
    }
  }

  #draw(entries: EntryInfo[]): void {
    const sorted = entries.sort(foldersFirst);
    const hidden = sorted.length - shownEntries;
    const words = hidden > 0 ? `${hidden} more are not shown.` : 'This folder is empty.';
    say(this.#message, hidden > 0 || sorted.length === 0 ? words : '');
    // Drawing the same again would take the focus and the place in the list away.
    const now = JSON.stringify([this.#folder, sorted.map(({ name, type, size }) => [name, type, size])]);
    if (now === this.#shown) return;
    this.#shown = now;
    this.#drawPath();
    this.#list.replaceChildren(...sorted.slice(0, shownEntries).map((entry) => this.#line(entry)));
  }

  #line(entry: EntryInfo): HTMLLIElement {
    const line = make('li', entry.type === 'dir' ? 'folder' : 'file');
    const open = (): void => void (entry.type === 'dir' ? this.#show(entry.path) : this.#viewer.open(entry));
    const button = makeButton('', open);
    button.append(make('span', 'name', entry.type === 'dir' ? `${entry.name}/` : entry.name));
    if (entry.type === 'file') button.append(make('span', 'size', fileSize(entry.size)));
    // A socket, a device, or a link that leads nowhere.
    button.disabled = entry.type !== 'dir' && entry.type !== 'file';
    line.append(button);
    return line;
  }

  #drawPath(): void {
    const names = this.#folder.split('/').filter(Boolean);
    const steps = ['', ...names].map((name, index) => {
      const path = `/${names.slice(0, index).join('/')}`;
      const button = makeButton(`${name}/`, () => void this.#show(path));
      if (path === this.#folder) button.setAttribute('aria-current', 'location');
      return button;
    });
    this.#path.replaceChildren(...steps);
  }
}

function foldersFirst(a: EntryInfo, b: EntryInfo): number {
  return Number(b.type === 'dir') - Number(a.type === 'dir') || a.name.localeCompare(b.name);
}
