/**
 * The same programs with `e2b` and with `e2b-edge` against the same server: what they print is compared, and they compile
 * with the types of either.
 */

import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as official from 'e2b';
import * as ours from 'e2b-edge';
import { type LocalServer, startLocalServer } from 'e2b-edge/local';
import ts from 'typescript';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { absent, differences } from './programs/differences.js';
import { runProgram } from './programs/support/run-program.js';

const folder = fileURLToPath(new URL('./programs/', import.meta.url));
const root = fileURLToPath(new URL('../../', import.meta.url));
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.ts') && name !== 'differences.ts')
  .map((name) => name.slice(0, -3));

let server: LocalServer;

beforeAll(async () => {
  server = await startLocalServer();
});

afterAll(() => server.close());

test.each(names)('%s', async (name) => {
  const { apiKey, apiUrl, sandboxUrl, port } = server;
  const account = {
    E2B_API_KEY: apiKey,
    E2B_API_URL: apiUrl,
    E2B_SANDBOX_URL: sandboxUrl,
    E2B_DOMAIN: `localhost:${port}`,
  };
  const file = `${folder}${name}.ts`;
  const [theirs, mine] = await Promise.all([
    runProgram(file, 'e2b', account),
    runProgram(file, 'e2b-edge', account),
  ]);
  expect(theirs).toMatchObject({ exitCode: 0, stderr: '' });
  const expected = [...theirs.lines];
  for (const one of differences[name] ?? []) {
    const at = expected.indexOf(one.official);
    expect(at, `the official package no longer prints "${one.official}"`).not.toBe(-1);
    expected.splice(at, 1, ...(one.ours === undefined ? [] : [one.ours]));
  }
  expect(mine).toEqual({ lines: expected, exitCode: 0, stderr: '' });
});

test('whatever can be imported from e2b is there, but for what is left to it', () => {
  const names = (entry: object): string[] => Object.keys(entry).filter((name) => name !== 'default');
  const missing = names(official).filter((name) => !(name in ours));
  expect(missing.sort()).toEqual(Object.values(absent).flat().sort());
});

test('they compile with either', () => {
  expect(problems({})).toEqual([]);
  expect(problems({ e2b: [`${root}dist/index.d.ts`] })).toEqual([]);
});

/** @param paths where TypeScript finds packages, other than at their places. */
function problems(paths: ts.MapLike<string[]>): string[] {
  const program = ts.createProgram(
    names.map((name) => `${folder}${name}.ts`),
    {
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
      types: ['node'],
      paths,
    },
  );
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ file, start = 0, messageText }) =>
      [
        file && `${file.fileName.slice(root.length)}:${file.getLineAndCharacterOfPosition(start).line + 1}`,
        ts.flattenDiagnosticMessageText(messageText, '\n'),
      ].join(' '),
    );
}
