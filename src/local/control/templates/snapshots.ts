import { randomInt } from 'node:crypto';
import { ApiError } from '../../http/replies.js';
import type { MachineFiles } from '../../machine/machine-files.js';
import type { TemplateBuild } from './template-build.js';
import { defaultTag, localTeam, type TemplateName } from './template-name.js';
import type { TemplateRecipe } from './template-recipe.js';

/** The files of a sandbox as they were, to begin others with. Gone when the server ends. */
export interface Snapshot {
  readonly templateId: string;
  readonly alias?: string;
  readonly tag: string;
  /** Whose files they were. */
  readonly sandboxId: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly recipe: TemplateRecipe;
  readonly files: MachineFiles;
}

/** What a new snapshot is made of. */
export type NewSnapshot = Pick<Snapshot, 'sandboxId' | 'recipe' | 'files'>;

const idAlphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** The snapshots of one server. */
export class Snapshots {
  readonly #kept = new Map<string, Snapshot>();
  /** Files that are being read; they are not removed before that is over. */
  readonly #readers = new Map<MachineFiles, Set<Promise<unknown>>>();

  list(): Snapshot[] {
    return [...this.#kept.values()];
  }

  /** Keeps files under a name, whose former ones they replace, or under a new id. */
  async add(name: TemplateName | undefined, { sandboxId, recipe, files }: NewSnapshot): Promise<Snapshot> {
    const templateId = (name && this.#named(name)?.templateId) ?? newId();
    const tag = name?.tag ?? defaultTag;
    const snapshot = {
      ...{ templateId, tag, sandboxId, recipe, files, createdAt: Date.now() },
      ...(name && { alias: name.alias }),
    };
    const key = `${templateId}:${tag}`;
    const former = this.#kept.get(key);
    // Anew at the end, which is where the newest is.
    this.#kept.delete(key);
    this.#kept.set(key, snapshot);
    if (former) await this.#remove(former.files);
    return snapshot;
  }

  /** The id of the template that a name or an id means, whatever the tag. */
  idOf(name: TemplateName): string | undefined {
    return this.#named(name)?.templateId;
  }

  /** What a sandbox of this snapshot begins with; `undefined` when there is none of that name or id. */
  find(name: TemplateName): TemplateBuild | undefined {
    const templateId = this.idOf(name);
    if (templateId === undefined) return undefined;
    const tag = name.tag ?? defaultTag;
    const found = this.#kept.get(`${templateId}:${tag}`);
    if (!found) throw new ApiError(404, `tag '${tag}' does not exist for template '${name.alias}'`);
    const { alias, recipe, files } = found;
    return { templateId, ...(alias !== undefined && { alias }), recipe, copyFiles: () => this.#copy(files) };
  }

  /** Removes a snapshot with all of its tags; false when there is none. */
  async delete(name: TemplateName): Promise<boolean> {
    const templateId = this.idOf(name);
    if (templateId === undefined) return false;
    const all = this.list().filter((one) => one.templateId === templateId);
    for (const { tag } of all) this.#kept.delete(`${templateId}:${tag}`);
    await Promise.all(all.map(({ files }) => this.#remove(files)));
    return true;
  }

  #named({ team = localTeam, alias }: TemplateName): Snapshot | undefined {
    if (team !== localTeam) return undefined;
    return this.list().find((one) => one.alias === alias || one.templateId === alias);
  }

  async #copy(files: MachineFiles): Promise<MachineFiles> {
    const copying = files.copy();
    const readers = this.#readers.get(files) ?? new Set();
    this.#readers.set(files, readers.add(copying));
    try {
      return await copying;
    } finally {
      readers.delete(copying);
    }
  }

  async #remove(files: MachineFiles): Promise<void> {
    await Promise.allSettled(this.#readers.get(files) ?? []);
    this.#readers.delete(files);
    await files.remove();
  }
}

/** How clients call a snapshot, and the names it has. */
export function snapshotInfo({ templateId, alias, tag }: Snapshot): { snapshotID: string; names: string[] } {
  const names = alias === undefined ? [] : [`${localTeam}/${alias}`];
  return { snapshotID: `${names[0] ?? templateId}:${tag}`, names };
}

function newId(): string {
  return Array.from({ length: 20 }, () => idAlphabet[randomInt(idAlphabet.length)]).join('');
}
