import { envdVersion } from './sandbox-json.js';
import type { Template, Templates } from './templates/templates.js';

/** An item of the list of templates. Nothing is built here, so there is one build, which is ready. */
export function templateOf(template: Template, templates: Templates): Record<string, unknown> {
  const { id, names, recipe, buildId, spawnCount, lastSpawnedAt } = template;
  const since = new Date(templates.createdAt).toISOString();
  return {
    templateID: id,
    buildID: buildId,
    ...templates.sizeOf(recipe),
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
