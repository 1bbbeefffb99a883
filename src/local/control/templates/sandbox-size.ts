import { statfsSync } from 'node:fs';
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import type { Limits } from '../../machine/limits.js';
import type { TemplateRecipe } from './template-recipe.js';

/** What a sandbox has: the machine's own where nothing is said. */
export interface SandboxSize {
  readonly cpuCount: number;
  readonly memoryMB: number;
  readonly diskSizeMB: number;
}

/** What a template asks for goes before what the server allows. Half a processor is shown as one. */
export function sizeOf({ cpuCount, memoryMb }: TemplateRecipe, limits: Partial<Limits>): SandboxSize {
  const { blocks, bsize } = statfsSync(tmpdir());
  return {
    cpuCount: cpuCount ?? Math.ceil(limits.cpus ?? availableParallelism()),
    memoryMB: memoryMb ?? limits.memoryMb ?? Math.round(totalmem() / 2 ** 20),
    diskSizeMB: Math.round((blocks * bsize) / 2 ** 20),
  };
}
