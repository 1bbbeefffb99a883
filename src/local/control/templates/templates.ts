import { randomUUID } from 'node:crypto';
import { ApiError } from '../../http/replies.js';
import type { Limits } from '../../machine/limits.js';
import { missingPrograms } from './missing-programs.js';
import { type SandboxSize, sizeOf } from './sandbox-size.js';
import type { Snapshots } from './snapshots.js';
import type { TemplateBuild } from './template-build.js';
import { requireTemplateName, type TemplateName } from './template-name.js';
import type { TemplateRecipe } from './template-recipe.js';

/** A template that the server was started with, and how it was used. */
export interface Template {
  /** Its name, which is its id as well. */
  readonly id: string;
  readonly names: readonly string[];
  readonly recipe: TemplateRecipe;
  readonly buildId: string;
  spawnCount: number;
  /** Milliseconds since the epoch. */
  lastSpawnedAt: number | undefined;
}

/** What the server has for its sandboxes. */
export interface TemplateHost {
  /** Of sandboxes whose template says nothing else. */
  readonly limits: Partial<Limits>;
  /** Whether sandboxes can be shown other programs than the host's. */
  readonly hasImages: boolean;
}

/** This machine's own userland and empty homes. */
const baseRecipe: TemplateRecipe = {};

/** All that sandboxes can be made from: the recipes of the server's options, and snapshots. */
export class Templates {
  readonly snapshots: Snapshots;
  /** Milliseconds since the epoch. */
  readonly createdAt: number = Date.now();
  readonly #templates: readonly Template[];
  readonly #host: TemplateHost;

  constructor(recipes: Readonly<Record<string, TemplateRecipe>>, snapshots: Snapshots, host: TemplateHost) {
    this.#host = host;
    this.snapshots = snapshots;
    // Last, so that a recipe may be called that, too.
    const all = { ...recipes, base: recipes.base ?? baseRecipe };
    this.#templates = Object.entries(all).map(([id, recipe]) => ({
      id,
      names: [id, ...(recipe.aliases ?? [])],
      recipe,
      buildId: randomUUID(),
      spawnCount: 0,
      lastSpawnedAt: undefined,
    }));
  }

  list(): readonly Template[] {
    return this.#templates;
  }

  sizeOf(recipe: TemplateRecipe): SandboxSize {
    return sizeOf(recipe, this.#host.limits);
  }

  /** The id that a reference means; `undefined` when nothing is called that. */
  idOf(name: TemplateName): string | undefined {
    return this.snapshots.idOf(name) ?? this.#recipeOf(name)?.id;
  }

  /** What a sandbox of that template or snapshot begins with. Throws 404, and 400 for what this machine lacks. */
  async resolve(reference: string): Promise<TemplateBuild> {
    const name = requireTemplateName(reference, 'template reference');
    const snapshot = this.snapshots.find(name);
    if (snapshot) return snapshot;
    const template = this.#recipeOf(name);
    if (!template) throw new ApiError(404, `template '${reference}' not found. ${this.#advice()}`);
    this.#checkImage(template);
    await checkPrograms(template);
    template.spawnCount++;
    template.lastSpawnedAt = Date.now();
    return { templateId: template.id, alias: template.names.at(1) ?? template.id, recipe: template.recipe };
  }

  /**
   * There is one team and one build here, so whoever names another team or a tag means the template that is
   * here, unless there is one of exactly that name.
   */
  #recipeOf({ team, alias, tag }: TemplateName): Template | undefined {
    const withTeam = team === undefined ? alias : `${team}/${alias}`;
    const candidates =
      tag === undefined ? [withTeam, alias] : [`${withTeam}:${tag}`, `${alias}:${tag}`, withTeam, alias];
    for (const candidate of candidates) {
      const found = this.#templates.find(({ names }) =>
        names.some((name) => name.toLowerCase() === candidate),
      );
      if (found) return found;
    }
    return undefined;
  }

  #checkImage({ id, recipe: { image } }: Template): void {
    if (image === undefined || this.#host.hasImages) return;
    throw new ApiError(
      400,
      `template '${id}' has an image, which takes isolation by bubblewrap; this server's sandboxes are not isolated`,
    );
  }

  #advice(): string {
    const known = this.#templates.map(({ id }) => `'${id}'`).join(', ');
    return `This local server has ${known}; others are defined by its option 'templates' (serve --config FILE).`;
  }
}

async function checkPrograms({ id, recipe: { requires = [], image } }: Template): Promise<void> {
  const missing = await missingPrograms(requires, image);
  if (missing.length === 0) return;
  const where = image === undefined ? 'this machine' : `its image ${image}`;
  throw new ApiError(
    400,
    `template '${id}' needs ${missing.join(', ')}, which ${where} does not have: install what is missing, or give the template an 'image' that has it`,
  );
}
