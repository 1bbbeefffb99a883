import { sizeOf } from './machine-size.js';
import { envdVersion } from './sandbox-json.js';
import type { Template } from './templates/templates.js';

/** An item of the list of templates. Nothing is built here, so there is one build, which is ready. */
export function templateOf(template: Template, createdAt: number): Record<string, unknown> {
  const { id, names, recipe, buildId, spawnCount, lastSpawnedAt } = template;
  const since = new Date(createdAt).toISOString();
  return {
    templateID: id,
    buildID: buildId,
    ...sizeOf(recipe),
    public: false,
    aliases: names,
    names,
    createdAt: since,
    updatedAt: since,
    createdBy: null,
    lastSpawnedAt: lastSpawnedAt === undefined ? null : new Date(lastSpawnedAt).toISOString(),
    spawnCount,
    buildCount: 1,
    envdVersion,
    buildStatus: 'ready',
  };
}
