/** The sources as a graph of imports, read from their text. */

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface SourceModule {
  /** Below `src`, as in `wire/session.ts`. */
  path: string;
  lines: number;
  imports: SourceImport[];
  reExports: number;
  text: string;
}

export interface SourceImport {
  /** As written. */
  specifier: string;
  /** The module below `src`, for a relative import. */
  target?: string;
  typeOnly: boolean;
}

const src = fileURLToPath(new URL('../../src', import.meta.url));
const statement = /^(import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm;
const dynamic = /\bimport\(\s*'([^']+)'\s*\)/g;

/** Reads all modules of `src`, tests excepted. */
export function readSources(): SourceModule[] {
  return readdirSync(src, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts'))
    .map((entry) => relative(src, join(entry.parentPath, entry.name)))
    .sort()
    .map(readModule);
}

function readModule(path: string): SourceModule {
  const text = readFileSync(join(src, path), 'utf8');
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '');
  const imports: SourceImport[] = [];
  let reExports = 0;
  for (const [, keyword, type, specifier = ''] of code.matchAll(statement)) {
    if (keyword === 'export') reExports++;
    imports.push(resolve(path, specifier, type !== undefined));
  }
  for (const [, specifier = ''] of code.matchAll(dynamic)) imports.push(resolve(path, specifier, false));
  return { path, lines: text.split('\n').length - 1, imports, reExports, text };
}

function resolve(from: string, specifier: string, typeOnly: boolean): SourceImport {
  if (!specifier.startsWith('.')) return { specifier, typeOnly };
  const target = normalize(join(dirname(from), specifier)).replace(/\.js$/, '.ts');
  return { specifier, target, typeOnly };
}

/** A cycle among the imports that exist when the code runs, as the paths along it; nothing when there is none. */
export function findCycle(modules: SourceModule[]): string[] | undefined {
  const byPath = new Map(modules.map((module) => [module.path, module]));
  const done = new Set<string>();
  const visit = (path: string, trail: string[]): string[] | undefined => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return undefined;
    for (const { target, typeOnly } of byPath.get(path)?.imports ?? []) {
      const cycle = target !== undefined && !typeOnly ? visit(target, [...trail, path]) : undefined;
      if (cycle) return cycle;
    }
    done.add(path);
    return undefined;
  };
  for (const { path } of modules) {
    const cycle = visit(path, []);
    if (cycle) return cycle;
  }
  return undefined;
}
