/**
 * `npm run mutations [-- file …]`: changes the broker's sources bit by bit, and runs its unit tests against each change.
 * A change that no test notices is a survivor. Those that may stay are in `survivors/`, each with the reason; any other
 * one ends this with 1. Without files it takes all of `src/broker`, which is hours: `npm run mutations -- src/broker/grant.ts`.
 * `TESTS='passage rpc'` tries the tests of these names alone (see `vitest.config.ts`).
 */
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Stryker } from '@stryker-mutator/core';

const here = fileURLToPath(new URL('.', import.meta.url));
process.chdir(resolve(here, '../..'));
const files = process.argv.slice(2);
const known = readExplained(join(here, 'survivors'));
const tempDirName = mkdtempSync(join(tmpdir(), 'e2b-edge-mutations-'));
// Above the copy that is changed. The tool's own link is of a folder alone, and a worktree's may be a link itself.
symlinkSync(realpathSync('node_modules'), join(tempDirName, 'node_modules'));

let results;
try {
  results = await new Stryker({
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner', join(here, 'ignore-words.mjs')],
    ignorers: ['words'],
    vitest: { configFile: 'test/mutation/vitest.config.ts', related: false },
    mutate: files.length > 0 ? files : ['src/broker/**/*.ts'],
    ignorePatterns: ['bench-results', 'dist', 'demo', 'docs'],
    reporters: ['clear-text', 'json'],
    clearTextReporter: { logTests: false, reportTests: false },
    jsonReporter: { fileName: 'bench-results/mutations.json' },
    coverageAnalysis: 'perTest',
    concurrency: Number(process.env.CONCURRENCY ?? 1),
    tempDirName,
    symlinkNodeModules: false,
  }).runMutationTest();
} finally {
  rmSync(tempDirName, { recursive: true, force: true });
}

const survivors = results
  .filter(({ status }) => status === 'Survived' || status === 'NoCoverage')
  .map(describe);
const isSame = (one, other) =>
  ['file', 'mutator', 'code', 'replacement'].every((key) => one[key] === other[key]);
const unexplained = survivors.filter((one) => !known.some((other) => isSame(one, other)));
const tried = new Set(results.map(({ fileName }) => relative('.', fileName)));
const gone = known.filter((one) => tried.has(one.file) && !survivors.some((other) => isSame(one, other)));
for (const one of gone) console.log(`no survivor any more: ${JSON.stringify(one)}`);
for (const one of unexplained) console.log(`not explained: ${JSON.stringify(one)}`);
const killed = results.filter(({ status }) => status === 'Killed' || status === 'Timeout').length;
console.log(
  `${killed} killed, ${survivors.length} survived, of which ${unexplained.length} are not explained in test/mutation/survivors`,
);
process.exitCode = unexplained.length > 0 ? 1 : 0;

/** Each file has a list of `{ file, why, mutants }`: what has one reason stands together. */
function readExplained(folder) {
  return readdirSync(folder)
    .flatMap((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')))
    .flatMap(({ file, mutants }) => mutants.map((mutant) => ({ file, ...mutant })));
}

/** What stays the same when lines move. */
function describe({ fileName, mutatorName, replacement, location: { start, end } }) {
  // Both count from 1.
  const lines = readFileSync(fileName, 'utf8')
    .split('\n')
    .slice(start.line - 1, end.line);
  lines[lines.length - 1] = lines.at(-1).slice(0, end.column - 1);
  lines[0] = lines[0].slice(start.column - 1);
  const code = lines.map((line) => line.trim()).join(' ');
  return { file: relative('.', fileName), mutator: mutatorName, code, replacement };
}
