import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { InvalidArgumentError } from '../../../errors.js';
import { checkRecipes, type TemplateRecipe } from './template-recipe.js';

/**
 * Reads the templates of a configuration file, `{ "templates": { "my-template": { … } } }`, whose paths are
 * relative to it.
 *
 * @throws `InvalidArgumentError` with code `invalid_config` when there is no such file or it is not JSON, and
 * `invalid_templates` with a line for each mistake in it.
 */
export async function loadTemplates(path: string): Promise<Readonly<Record<string, TemplateRecipe>>> {
  const config = parse(path, await read(path));
  const place = `${path}: templates`;
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw invalid(`${path} must be a JSON object with 'templates'`);
  }
  const unknown = Object.keys(config).find((key) => key !== 'templates');
  if (unknown !== undefined) throw invalid(`${path}: '${unknown}' is unknown; there is 'templates'`);
  return checkRecipes((config as { templates?: unknown }).templates ?? {}, place, dirname(resolve(path)));
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw invalid(`${path} cannot be read: ${(error as Error).message}`, error);
  }
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(`${path} is not JSON: ${(error as Error).message}`, error);
  }
}

function invalid(message: string, cause?: unknown): InvalidArgumentError {
  return new InvalidArgumentError(message, { code: 'invalid_config', ...(cause !== undefined && { cause }) });
}
