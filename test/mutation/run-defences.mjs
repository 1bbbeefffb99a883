/** `npm run defences [-- a part of a threat]`: see `defences.mjs`. Ends with 1 where a defence can go and no test fails. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { defences } from './defences.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const [wanted = ''] = process.argv.slice(2);
const missed = defences
  .filter(({ threat }) => threat.includes(wanted))
  .filter((defence) => !isNoticed(defence));
for (const { threat, file } of missed) console.log(`NO TEST FAILS: ${threat} (${file})`);
process.exitCode = missed.length > 0 ? 1 : 0;

function isNoticed(defence) {
  const args = ['vitest', 'run', '--config', 'test/mutation/vitest.defence.ts', '--reporter=json'];
  const env = { ...process.env, DEFENCE: JSON.stringify(defence) };
  const { stdout, stderr } = spawnSync('npx', args, { cwd: root, env, encoding: 'utf8' });
  let report;
  try {
    report = JSON.parse(stdout.slice(stdout.indexOf('{')));
  } catch {
    throw new Error(`${defence.threat}: no report\n${stderr}`);
  }
  const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  const failed = tests.find(({ status }) => status === 'failed');
  // Where nothing ran, nothing was noticed: as when the line is not there any more.
  if (tests.length === 0) throw new Error(`${defence.threat}: ${report.testResults[0]?.message}`);
  if (failed) console.log(`${defence.threat} (${defence.file}): ${failed.fullName}`);
  return failed !== undefined;
}
