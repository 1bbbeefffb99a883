/**
 * `npm test`: sets up, then runs the linter, the type checks and all tests, and ends with one line of totals. A step
 * that fails does not keep the next from running.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuild, ensureDependencies, ensureSystem, root } from './setup.mjs';

const totals = { passed: 0, failed: 0, skipped: 0 };

ensureDependencies();
ensureBuild();
ensureSystem(['chromium', 'bubblewrap', 'slirp4netns']);

step('lint', 'biome', ['check', '--error-on-warnings', '.']);
step('types of what runs everywhere', 'tsc', ['-p', 'tsconfig.json']);
step('types of all sources', 'tsc', ['-p', 'tsconfig.node.json']);
step('types of the tests', 'tsc', ['-p', 'test/tsconfig.json']);
step('types of the demo', 'tsc', ['-p', 'demo/tsconfig.json']);
runVitest(process.argv.slice(2));

console.log(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exitCode = totals.failed > 0 ? 1 : 0;

/** Runs one tool; it counts as one test. */
function step(what, tool, args) {
  const passed = runTool(tool, args);
  console.log(`${passed ? 'passed' : 'FAILED'}: ${what}`);
  totals[passed ? 'passed' : 'failed']++;
}

function runVitest(args) {
  const folder = mkdtempSync(join(tmpdir(), 'e2b-edge-test-'));
  const report = join(folder, 'report.json');
  try {
    const passed = runTool('vitest', [
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...args,
    ]);
    const counted = existsSync(report) && count(JSON.parse(readFileSync(report, 'utf8')));
    // Also when it broke before or beside the tests, as by an error that no test caught.
    if (!passed && !counted) totals.failed++;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Adds a report of vitest to the totals; tells whether a failure was among it. */
function count(report) {
  totals.passed += report.numPassedTests;
  totals.failed += report.numFailedTests;
  totals.skipped += report.numPendingTests + report.numTodoTests;
  for (const file of report.testResults) {
    // A file that broke while it was loaded has no tests to fail.
    if (file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed'))
      totals.failed++;
    for (const test of file.assertionResults)
      if (test.status === 'skipped') console.log(`skipped: ${test.fullName}`);
  }
  return totals.failed > 0;
}

function runTool(tool, args) {
  const program = join(root, 'node_modules/.bin', tool);
  return spawnSync(program, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
}
