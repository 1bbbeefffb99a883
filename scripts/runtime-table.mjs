/**
 * The table of README.md that says which method is tested in which runtime. It is made of what the behaviour suites
 * have left in test-results/runtimes: `npx vitest run --project 'suites-*' && node scripts/runtime-table.mjs`.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { publicMethods } from './public-methods.mjs';

/**
 * @typedef {{ suite: string, name: string, via: 'key' | 'session', outcome: 'passed' | 'failed' | 'skipped',
 *   reason?: string, calls: string[] }} CaseOutcome what a case did in one runtime; `reason` says why it was skipped
 * @typedef {Map<string, Set<string>>} Tested for each method that a passed case calls, by what it was called
 */

const readmePath = fileURLToPath(new URL('../README.md', import.meta.url));
const begin = '<!-- methods -->\n';
const end = '<!-- /methods -->';
/** The classes behind what is public as an interface. */
const implementations = { LiveChannel: 'Channel', SocketClient: 'Channel', SocketSharing: 'ChannelSharing' };

/** @type {Record<string, string>} each runtime by the name that README gives it, in the order of the columns */
export const runtimes = { node: 'Node', deno: 'Deno', bun: 'Bun', workerd: 'workerd', chromium: 'Chromium' };

/** @param {string} runtime */
export function resultsPath(runtime) {
  return fileURLToPath(new URL(`../test-results/runtimes/${runtime}.json`, import.meta.url));
}

/**
 * @param {CaseOutcome[]} outcomes
 * @returns {Tested}
 */
export function testedMethods(outcomes) {
  const tested = new Map();
  for (const { outcome, via, calls } of outcomes) {
    if (outcome !== 'passed') continue;
    for (const call of calls) {
      const method = publicName(call);
      tested.set(method, (tested.get(method) ?? new Set()).add(via));
    }
  }
  return tested;
}

/** @param {string} call */
function publicName(call) {
  return call.replace(/^\w+(?=#)/, (name) => implementations[name] ?? name);
}

/**
 * @param {string[]} methods
 * @param {Record<string, CaseOutcome[]>} results for each runtime
 */
export function renderTable(methods, results) {
  const tested = Object.keys(runtimes).map((runtime) => testedMethods(results[runtime] ?? []));
  /** @type {Map<string, string[]>} the methods that share a row, by what else stands in it */
  const rows = new Map();
  for (const { method, object, name } of methods.map(shown).sort(byObject)) {
    const ways = ['key', 'session'].filter((via) => tested.some((one) => one.get(method)?.has(via)));
    const marks = tested.map((one) => (one.has(method) ? '✓' : '–'));
    const row = `${object}|${ways.join(', ') || 'not tested'} | ${marks.join(' | ')} |`;
    rows.set(row, [...(rows.get(row) ?? []), name]);
  }
  const lines = [...rows].map(([row, names]) => {
    const [object, ...rest] = row.split('|');
    return `| ${object} | ${names.map((name) => `\`${name}\``).join(' ')} | ${rest.join('|').trim()}`;
  });
  const head = `| of | | by | ${Object.values(runtimes).join(' | ')} |\n|---|---|---|${':-:|'.repeat(tested.length)}\n`;
  return `${head}${lines.join('\n')}\n`;
}

/** @param {string} method */
function shown(method) {
  const [owner = '', name = ''] = method.split(/[.#]/, 2);
  if (name === '') return { method, object: 'functions', name: owner };
  const isStatic = !method.includes('#');
  const object = isStatic ? `\`${owner}\`` : `\`${owner[0]?.toLowerCase()}${owner.slice(1)}\``;
  if (method.endsWith('[Symbol.asyncIterator]')) return { method, object, name: 'for await' };
  if (method.endsWith('[Symbol.asyncDispose]')) return { method, object, name: 'await using' };
  return { method, object, name };
}

/** What everybody uses comes first, then the rest by name. */
const first = ['`Sandbox`', '`sandbox`', '`files`', '`commands`', '`pty`', '`git`'];

/** @param {{ object: string, name: string }} a @param {{ object: string, name: string }} b */
function byObject(a, b) {
  const rank = ({ object }) => (first.indexOf(object) + 1 || first.length + 1) - 1;
  return rank(a) - rank(b) || a.object.localeCompare(b.object) || a.name.localeCompare(b.name);
}

/** The table that stands in README.md. */
export function currentTable() {
  const readme = readFileSync(readmePath, 'utf8');
  const [, rest = ''] = readme.split(begin);
  return rest.split(end)[0]?.trim() ?? '';
}

/**
 * What a table says of one runtime, for each method.
 * @param {string} table
 * @param {string} runtime
 * @returns {Record<string, string>}
 */
export function columnOf(table, runtime) {
  const index = Object.keys(runtimes).indexOf(runtime);
  /** @type {Record<string, string>} */
  const column = {};
  for (const line of table.split('\n').slice(2)) {
    const [, object = '', names = '', , ...marks] = line.split('|').map((cell) => cell.trim());
    for (const [, name] of names.matchAll(/`([^`]+)`/g)) column[`${object} ${name}`] = marks[index] ?? '';
  }
  return column;
}

function refresh() {
  /** @type {Record<string, CaseOutcome[]>} */
  const results = {};
  for (const runtime of Object.keys(runtimes)) {
    if (!existsSync(resultsPath(runtime))) {
      console.error(`There are no results of ${runtime}: run npx vitest run --project 'suites-*' first.`);
      process.exit(1);
    }
    results[runtime] = JSON.parse(readFileSync(resultsPath(runtime), 'utf8'));
  }
  const readme = readFileSync(readmePath, 'utf8');
  const [before, after] = [readme.indexOf(begin) + begin.length, readme.indexOf(end)];
  const table = renderTable(publicMethods(), results);
  writeFileSync(readmePath, `${readme.slice(0, before)}\n${table}\n${readme.slice(after)}`);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) refresh();
