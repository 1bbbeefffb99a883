export { loadTemplates } from './local/control/templates/load-templates.js';
export type { TemplateRecipe } from './local/control/templates/template-recipe.js';
export { type LocalServer, startLocalServer } from './local/local-server.js';
export type { IsolationKind } from './local/machine/isolation.js';
export type { Limits } from './local/machine/limits.js';
export type { LocalServerOptions } from './local/options.js';
