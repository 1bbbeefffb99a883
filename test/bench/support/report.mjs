import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { plot } from './plot.mjs';

const folder = fileURLToPath(new URL('../../../bench-results/', import.meta.url));

/**
 * Prints the rows as a table and writes them as JSON, with one plot for each series that has several sizes.
 * @param {string} name of the benchmark, and so of the files
 * @param {{ what: string, size?: number, value: number, low?: number, high?: number, unit: string, goal?: string }[]} rows
 */
export function report(name, rows) {
  const machine = { node: process.version, cpus: cpus().length, memoryGb: Math.round(totalmem() / 2 ** 30) };
  const columns = [['what', 'size', 'value', 'spread', 'unit', 'goal'], ...rows.map(cells)];
  const widths = columns[0].map((_, at) => Math.max(...columns.map((row) => row[at].length)));
  for (const row of columns)
    console.log(
      row
        .map((cell, at) => cell.padEnd(widths[at]))
        .join('  ')
        .trimEnd(),
    );
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify({ machine, rows }, null, 2)}\n`);
  const series = Object.groupBy ? Object.groupBy(rows, ({ what }) => what) : groupByWhat(rows);
  const grown = Object.entries(series).filter(([, points]) => points.length > 1);
  if (grown.length > 0) writeFileSync(join(folder, `${name}.svg`), plot(name, grown));
  console.log(
    `\n${machine.node}, ${machine.cpus} CPUs, ${machine.memoryGb} GB; written to bench-results/${name}.json`,
  );
}

function groupByWhat(rows) {
  const groups = {};
  for (const row of rows) {
    groups[row.what] ??= [];
    groups[row.what].push(row);
  }
  return groups;
}

function cells({ what, size, value, low, high, unit, goal }) {
  const spread = low === undefined ? '' : `${round(low)}–${round(high)}`;
  return [what, size === undefined ? '' : String(size), round(value), spread, unit, goal ?? ''];
}

function round(value) {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
