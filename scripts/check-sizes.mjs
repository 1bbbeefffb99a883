/**
 * Weighs what an importer of each entry ships: bundled for browsers by esbuild, minified, gzip -9. Prints a table
 * and ends with 1 where a ceiling of `test/package/weights.json` is passed or a forbidden string is inside.
 */

import { readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * @typedef {{ what: string, code: string, external?: string[], ceiling: number,
 *   forbidden: string[], absentRooms: string[] }} Weight
 * @typedef {{ what: string, bytes: number, ceiling: number, problems: string[] }} Weighed
 */

/** @returns {Weight[]} the table of ceilings */
export function readWeights() {
  return JSON.parse(readFileSync(new URL('../test/package/weights.json', import.meta.url), 'utf8'));
}

/**
 * Bundles and weighs one line of the table.
 * @param {Weight} weight
 * @returns {Promise<Weighed>}
 */
export async function weigh(weight) {
  const { what, ceiling } = weight;
  const problems = [];
  let code;
  let inputs;
  try {
    ({ code, inputs } = await bundle(weight));
  } catch (error) {
    return { what, bytes: 0, ceiling, problems: [`does not bundle: ${error.message}`] };
  }
  const bytes = gzipSync(code, { level: 9 }).length;
  if (bytes > ceiling) problems.push(`${bytes - ceiling} bytes above the ceiling`);
  const lower = code.toLowerCase();
  for (const text of weight.forbidden) if (lower.includes(text)) problems.push(`contains "${text}"`);
  for (const room of weight.absentRooms) {
    const input = inputs.find((path) => path.startsWith(`dist/${room}/`));
    if (input) problems.push(`contains ${input}`);
  }
  return { what, bytes, ceiling, problems };
}

async function bundle({ code, external = [] }) {
  const result = await build({
    stdin: { contents: code, resolveDir: root, sourcefile: 'hello.js' },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    external,
    absWorkingDir: root,
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  const [output] = Object.values(result.metafile.outputs);
  const inputs = Object.entries(output.inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  return { code: result.outputFiles[0].text, inputs: inputs.map(([path]) => path) };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const rows = await Promise.all(readWeights().map(weigh));
  const width = Math.max(...rows.map((row) => row.what.length));
  console.log(`${'gzip'.padStart(8)} ${'ceiling'.padStart(8)}  what`);
  for (const { what, bytes, ceiling, problems } of rows) {
    const verdict = problems.length > 0 ? `  FAILED: ${problems.join('; ')}` : '';
    console.log(
      `${String(bytes).padStart(8)} ${String(ceiling).padStart(8)}  ${what.padEnd(width)}${verdict}`,
    );
  }
  if (rows.some((row) => row.problems.length > 0)) process.exitCode = 1;
}
