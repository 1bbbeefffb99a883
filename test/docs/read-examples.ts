/**
 * Finds the examples of the documentation: every block of `ts` or `js` in README.md, docs/*.md and the docstrings of src.
 * HTML comments right before a block, which no reader sees, say what the block does not:
 *
 * - `<!-- example: continues -->`: it is the same module as the block before.
 * - `<!-- example: page -->`, or `worker`, or `node`: where it runs, if its imports do not tell.
 * - `<!-- example: not run, because … -->`: it is compiled only.
 * - `<!-- example: throws NotFoundError -->`: it must end with that error.
 * - `<!-- example setup: … -->`: code before it, on as many lines as it needs.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Example, Part, Place } from './example.js';

export const root: string = fileURLToPath(new URL('../..', import.meta.url));

const block = /((?:^[ ]*<!--(?:(?!-->)[\s\S])*-->\n)*)^([ ]*)```(?:ts|js)\n([\s\S]*?)^[ ]*```$/gm;
const docstring = /^[ ]*\/\*\*[\s\S]*?\*\//gm;
const comment = /<!--\s*example( setup)?:\s*([\s\S]*?)\s*-->/g;

/** All examples, page by page, in their order. */
export function readExamples(): Example[] {
  const docs = below('docs', '.md');
  const pages = ['README.md', ...docs].flatMap((file) => examplesIn(file, read(file)));
  const sources = below('src', '.ts').flatMap((file) => examplesIn(file, docstringsOnly(read(file))));
  return [...pages, ...sources];
}

/** Finds the examples in the text of a page. */
export function examplesIn(file: string, text: string): Example[] {
  const examples: Example[] = [];
  for (const match of text.matchAll(block)) {
    const [, comments = '', indent = '', code = ''] = match;
    const codeStart = match.index + match[0].indexOf('```', comments.length);
    const part: Part = { code: outdented(code, indent), line: lineOf(text, codeStart) + 1 };
    addExample(examples, file, part, comments);
  }
  return examples;
}

function addExample(examples: Example[], file: string, part: Part, comments: string): void {
  const previous = examples.at(-1);
  const example: Example = { file, place: placeOf(file, part.code), parts: [] };
  for (const [, setup, words = ''] of comments.matchAll(comment)) {
    if (setup !== undefined) {
      part = { code: `${words}\n${part.code}`, line: part.line - words.split('\n').length };
    } else if (words === 'continues') {
      if (!previous)
        throw new Error(`${file}:${part.line}: there is no block before it that it could continue.`);
      previous.parts.push(part);
      return;
    } else applyWords(example, words, part.line);
  }
  examples.push({ ...example, parts: [part] });
}

function applyWords(example: Example, words: string, line: number): void {
  const [, reason] = /^not run, because (.+)$/s.exec(words) ?? [];
  const [, error] = /^throws (\w+)$/.exec(words) ?? [];
  if (reason !== undefined) example.notRun = reason;
  else if (error !== undefined) example.throws = error;
  else if (words === 'page' || words === 'worker' || words === 'node') example.place = words;
  else throw new Error(`${example.file}:${line}: "${words}" is not known of an example.`);
}

function placeOf(file: string, code: string): Place {
  if (/e2b-edge\/(browser|terminal)/.test(code) || file.startsWith('src/terminal')) return 'page';
  if (/e2b-edge\/broker\/cloudflare/.test(code) || file.startsWith('src/hosts/cloudflare')) return 'worker';
  return 'node';
}

/** The text with everything but docstrings made empty, so that lines keep their numbers. */
function docstringsOnly(text: string): string {
  let result = '';
  let end = 0;
  for (const match of text.matchAll(docstring)) {
    result += text.slice(end, match.index).replace(/[^\n]/g, '');
    result += match[0].replace(/^[ ]*\/?\*+[ /]?/gm, '');
    end = match.index + match[0].length;
  }
  return result;
}

function outdented(code: string, indent: string): string {
  return indent === '' ? code : code.replaceAll(new RegExp(`^${indent}`, 'gm'), '');
}

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

function below(folder: string, ending: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}
