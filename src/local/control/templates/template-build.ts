import type { MachineFiles } from '../../machine/machine-files.js';
import type { TemplateRecipe } from './template-recipe.js';

/** What a template's name led to: what a new sandbox begins with. */
export interface TemplateBuild {
  readonly templateId: string;
  readonly alias?: string;
  readonly recipe: TemplateRecipe;
  /** A snapshot's files, once more for each sandbox; absent when a sandbox begins with empty homes. */
  readonly copyFiles?: () => Promise<MachineFiles>;
}
