/**
 * `npm run bench:check [name …]`: compares what benchmarks wrote to `bench-results/` with their goals, and ends with 1 where
 * one is missed. Benchmarks measure and judge nothing: on a machine that others use as well, a figure can be a bad one.
 */
import { readdirSync, readFileSync } from 'node:fs';

const folder = new URL('../bench-results/', import.meta.url);
const names = process.argv.slice(2);
const files = readdirSync(folder).filter(
  (file) => file.endsWith('.json') && (names.length === 0 || names.includes(file.slice(0, -'.json'.length))),
);
let missed = 0;
for (const file of files) {
  const { rows = [] } = JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
  for (const { what, size, value, unit, goal } of rows) {
    const [, sign, text] = /^([≤≥]) ([\d.]+)/.exec(goal ?? '') ?? [];
    if (sign === undefined) continue;
    const isReached = sign === '≤' ? value <= Number(text) : value >= Number(text);
    if (!isReached) missed++;
    const where = size === undefined ? what : `${what} (${size})`;
    console.log(
      `${isReached ? 'reached' : 'MISSED '}  ${where}: ${value.toPrecision(3)} ${unit}, goal ${goal}`,
    );
  }
}
process.exitCode = missed > 0 ? 1 : 0;
