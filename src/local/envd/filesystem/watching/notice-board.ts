import type { Notices } from './changes-of.js';
import type { DirectoryWatch } from './directory-watch.js';

/** What the kernel said of one name in one directory. */
export interface Notice extends Notices {
  readonly directory: DirectoryWatch;
  readonly name: string;
}

/** What the kernel said since it was last looked after, in the order in which it first spoke of each name. */
export class NoticeBoard {
  #notices: Notice[] = [];
  #byName = new Map<DirectoryWatch, Map<string, Notice>>();

  get size(): number {
    return this.#notices.length;
  }

  add(directory: DirectoryWatch, kind: 'rename' | 'change', name: string): void {
    let names = this.#byName.get(directory);
    if (!names) {
      names = new Map();
      this.#byName.set(directory, names);
    }
    let notice = names.get(name);
    if (!notice) {
      notice = { directory, name, renames: 0, changes: 0 };
      names.set(name, notice);
      this.#notices.push(notice);
    }
    if (kind === 'rename') notice.renames++;
    else notice.changes++;
  }

  find(directory: DirectoryWatch, name: string): Notice | undefined {
    return this.#byName.get(directory)?.get(name);
  }

  /** Everything, which from then on is not on the board. */
  take(): Notice[] {
    const notices = this.#notices;
    this.#notices = [];
    this.#byName = new Map();
    return notices;
  }
}
