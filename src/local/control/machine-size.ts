import { statfsSync } from 'node:fs';
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import type { TemplateRecipe } from './templates/template-recipe.js';

/** What the sandboxes of a template have to themselves: the machine's own where nothing is said. */
export function sizeOf({
  cpuCount,
  memoryMb,
}: TemplateRecipe): Record<'cpuCount' | 'memoryMB' | 'diskSizeMB', number> {
  const { blocks, bsize } = statfsSync(tmpdir());
  return {
    cpuCount: cpuCount ?? availableParallelism(),
    memoryMB: memoryMb ?? Math.round(totalmem() / 2 ** 20),
    diskSizeMB: Math.round((blocks * bsize) / 2 ** 20),
  };
}
