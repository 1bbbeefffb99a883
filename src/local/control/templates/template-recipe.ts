import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { InvalidArgumentError } from '../../../errors.js';
import { parseTemplateName } from './template-name.js';

/**
 * What the sandboxes of one template begin with. Nothing is built: a recipe is applied each time a sandbox is
 * created.
 */
export interface TemplateRecipe {
  /** Further names that `create` knows it by. */
  aliases?: readonly string[];
  /** A directory of this machine, whose contents are copied into the working directory of each sandbox. */
  files?: string;
  /**
   * A directory of this machine with a tree of programs (`usr`, `bin`, `lib`…), such as an unpacked container
   * image, which is shown, read-only, in the place of this machine's own. It needs a shell, and bash for what the
   * SDKs run; everyone must be able to read it where the server runs as root. Takes isolation by bubblewrap.
   */
  image?: string;
  /** Variables of every process; those given to `create` come on top. */
  envs?: Readonly<Record<string, string>>;
  /** An absolute path, made where it is missing. Default: the user's home. */
  workdir?: string;
  /** Who programs run as when nobody is named. Default `user`. */
  user?: string;
  /** A shell command that is started whenever a sandbox of this template boots, and goes on running. */
  startCmd?: string;
  /** A shell command that is repeated until it exits with 0, before `create` answers. */
  readyCmd?: string;
  /** Programs without which sandboxes of this template are of no use: `create` says which are missing. */
  requires?: readonly string[];
  /** CPUs of a sandbox, as far as this machine can limit them. Default: all. */
  cpuCount?: number;
  /** Memory of a sandbox in MiB, as far as this machine can limit it. Default: no limit. */
  memoryMb?: number;
}

/** What is wrong with a value, or nothing. */
type Check = (value: unknown) => string | undefined;

const text: Check = (value) =>
  typeof value === 'string' && value !== '' && !value.includes('\0') ? undefined : 'must be a text';

const texts: Check = (value) =>
  Array.isArray(value) && value.every((one) => text(one) === undefined)
    ? undefined
    : 'must be a list of texts';

const number =
  (least: number): Check =>
  (value) =>
    Number.isInteger(value) && (value as number) >= least
      ? undefined
      : `must be a whole number, at least ${least}`;

const names: Check = (value) =>
  texts(value) ?? (value as string[]).map((name) => nameFault(name)).find((fault) => fault !== undefined);

const variables: Check = (value) => {
  if (!isObject(value)) return 'must be an object of texts';
  const wrong = Object.entries(value).find(
    ([name, content]) =>
      name === '' || /[=\0]/.test(name) || typeof content !== 'string' || content.includes('\0'),
  );
  return wrong && `has a variable '${wrong[0]}' that is not a name with a text`;
};

const directory: Check = (value) => {
  const fault = text(value);
  if (fault) return fault;
  const found = statSync(value as string, { throwIfNoEntry: false });
  if (!found) return `names '${value}', which does not exist`;
  return found.isDirectory() ? undefined : `names '${value}', which is not a directory`;
};

const absolutePath: Check = (value) =>
  text(value) ?? ((value as string).startsWith('/') ? undefined : 'must be an absolute path in the sandbox');

const checks: Readonly<Record<keyof TemplateRecipe, Check>> = {
  aliases: names,
  files: directory,
  image: directory,
  envs: variables,
  workdir: absolutePath,
  user: (value) =>
    text(value) ?? (/^[\w.-]+$/.test(value as string) ? undefined : 'must be the name of a user'),
  startCmd: text,
  readyCmd: text,
  requires: texts,
  cpuCount: number(1),
  memoryMb: number(128),
};

/**
 * Checks recipes by name, and makes their paths absolute from `directory`. Throws `InvalidArgumentError` that
 * names all that is wrong; `place` is where the recipes were written.
 */
export function checkRecipes(
  recipes: unknown,
  place: string,
  directory: string,
): Readonly<Record<string, TemplateRecipe>> {
  if (!isObject(recipes)) throw invalid([`${place} must be an object of recipes by name`]);
  const faults: string[] = [];
  const checked = Object.entries(recipes).map(([name, recipe]) => {
    const where = `${place}.${name}`;
    const fault = nameFault(name);
    if (fault) faults.push(`${where}: the name ${fault}`);
    if (!isObject(recipe)) {
      faults.push(`${where} must be an object`);
      return [name, {}];
    }
    const absolute = withAbsolutePaths(recipe, directory);
    faults.push(...recipeFaults(absolute).map((fault) => `${where}.${fault}`));
    return [name, absolute];
  });
  const all = Object.fromEntries(checked) as Record<string, TemplateRecipe>;
  if (faults.length === 0) faults.push(...doubleNames(all, place));
  if (faults.length > 0) throw invalid(faults);
  return all;
}

function recipeFaults(recipe: Record<string, unknown>): string[] {
  return Object.entries(recipe).flatMap(([key, value]) => {
    if (!Object.hasOwn(checks, key))
      return [`${key} is unknown; there are ${Object.keys(checks).join(', ')}`];
    const fault = value === undefined ? undefined : checks[key as keyof TemplateRecipe](value);
    return fault === undefined ? [] : [`${key} ${fault}`];
  });
}

/** Two recipes with one name: which is meant could not be told. */
function doubleNames(recipes: Readonly<Record<string, TemplateRecipe>>, place: string): string[] {
  const owners = new Map<string, string>();
  const faults: string[] = [];
  for (const [name, { aliases = [] }] of Object.entries(recipes)) {
    for (const one of [name, ...aliases].map((each) => each.toLowerCase())) {
      const owner = owners.get(one);
      if (owner !== undefined)
        faults.push(`${place}.${name}: the name '${one}' is already that of '${owner}'`);
      owners.set(one, name);
    }
  }
  return faults;
}

function withAbsolutePaths(recipe: Record<string, unknown>, directory: string): Record<string, unknown> {
  const { files, image } = recipe;
  return {
    ...recipe,
    ...(typeof files === 'string' && { files: resolve(directory, files) }),
    ...(typeof image === 'string' && { image: resolve(directory, image) }),
  };
}

function nameFault(name: string): string | undefined {
  return parseTemplateName(name) ? undefined : `'${name}' is not of the form alias, team/alias or alias:tag`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(faults: readonly string[]): InvalidArgumentError {
  return new InvalidArgumentError(faults.join('\n'), { code: 'invalid_templates' });
}
