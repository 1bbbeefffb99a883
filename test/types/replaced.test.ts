/** What compiles against the official package compiles against this one, with the import replaced. */

import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { diagnose, nodeNext, root } from './diagnose.js';
import { outside } from './outside.js';

const official = join(root, 'node_modules/e2b/dist/index.d.ts');
const ours = join(root, 'dist/index.d.ts');

describe('with `e2b-edge` for `e2b`', () => {
  test('the tests of every official method compile', () => {
    const files = ['test/official/js.test.ts', 'test/compat/e2b.test.ts'].map((path) => join(root, path));
    const settings: ts.CompilerOptions = {
      ...nodeNext,
      target: ts.ScriptTarget.ES2023,
      paths: { e2b: [ours] },
      types: ['node'],
      skipLibCheck: true,
    };
    expect(diagnose(files, settings)).toEqual([]);
  });

  test('every name that is exported there is here, or is outside for a reason', () => {
    const here = new Set(exportsOf(ours));
    const lacking = exportsOf(official).filter((name) => !here.has(name));
    expect(lacking).toEqual(Object.values(outside).flat().sort());
  });
});

function exportsOf(path: string): string[] {
  const program = ts.createProgram([path], { ...nodeNext, types: ['node'], skipLibCheck: true });
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(path);
  const symbol = source && checker.getSymbolAtLocation(source);
  if (!symbol) throw new Error(`${path} was not found.`);
  return checker
    .getExportsOfModule(symbol)
    .map(({ name }) => name)
    .sort();
}
