/** Makes a module of every example and checks its types, as a reader's compiler would. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import type { Example, Place } from './example.js';
import { importsOf } from './imports-of.js';
import { missingNames } from './missing-names.js';
import { root } from './read-examples.js';

export interface CompiledExample extends Example {
  /** With the imports that the reader is trusted to add. */
  module: string;
  /** What the compiler says, with the line in the documentation. */
  problems: string[];
}

/** Where the modules would be: from here the package is found by its name. */
export const folder: string = join(root, 'test/docs');

/** Where a name comes from that an example uses and does not declare. */
const entries: Record<Place, string[]> = {
  node: ['e2b-edge', 'e2b-edge/local', 'e2b-edge/broker/node', 'e2b-edge/broker'],
  page: ['e2b-edge/browser', 'e2b-edge/terminal'],
  worker: ['e2b-edge/broker/cloudflare', 'e2b-edge'],
};

const lib = ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'];
const dom = ['lib.dom.d.ts', 'lib.dom.iterable.d.ts', 'lib.dom.asynciterable.d.ts'];
const settings: Record<Place, ts.CompilerOptions> = {
  node: { lib, types: ['node'] },
  page: { lib: [...lib, ...dom], types: [] },
  worker: { lib, types: ['@cloudflare/workers-types'] },
};

/** Compiles all examples, in their order. */
export function compileExamples(examples: readonly Example[]): CompiledExample[] {
  return (['node', 'page', 'worker'] as const)
    .flatMap((place) => compileThoseOf(place, examples))
    .sort((a, b) => a.index - b.index)
    .map(({ index: _index, ...compiled }) => compiled);
}

function compileThoseOf(place: Place, examples: readonly Example[]): (CompiledExample & { index: number })[] {
  const chosen = examples
    .map((example, index) => ({ ...example, index }))
    .filter((one) => one.place === place);
  const codes = chosen.map(({ parts }) => parts.map(({ code }) => code).join(''));
  const first = createProgram(place, codes);
  const exported = entries[place].map((entry) => [entry, exportsOf(first, entry)] as const);

  const preambles = codes.map((code, index) => {
    const before = chosen
      .slice(0, index)
      .flatMap(({ file }, at) => (file === chosen[index]?.file ? codes[at] : []));
    const imported = new Map(before.flatMap((earlier) => [...importsOf(earlier ?? '')]));
    return missingNames(first, fileOf(index), code)
      .map((name) => imported.get(name) ?? importOf(name, place, exported))
      .join(' ');
  });
  const modules = codes.map((code, index) => `${preambles[index]}\n${code}\nexport {};\n`);
  const program = createProgram(place, modules);
  return chosen.map((example, index) => ({
    ...example,
    module: modules[index] ?? '',
    problems: problemsOf(program, fileOf(index), example),
  }));
}

/** An import of a name that is the reader's own, or else of the package; nothing when nobody has it. */
function importOf(name: string, place: Place, exported: (readonly [string, Set<string>])[]): string {
  const own = `reader/${place}/${name}`;
  if (existsSync(join(folder, `${own}.ts`))) return `import { ${name} } from './${own}.js';`;
  const entry = exported.find(([, names]) => names.has(name))?.[0];
  return entry === undefined ? '' : `import { ${name} } from '${entry}';`;
}

function fileOf(index: number): string {
  return join(folder, `example-${index}.ts`);
}

/** The modules are held in memory. The entries are in the program even if no example imports them. */
function createProgram(place: Place, modules: readonly string[]): ts.Program {
  const options: ts.CompilerOptions = {
    ...settings[place],
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    moduleDetection: ts.ModuleDetectionKind.Force,
    strict: true,
    noEmit: true,
    skipLibCheck: true,
  };
  const texts = new Map(modules.map((text, index) => [fileOf(index), text]));
  const index = entries[place].map((entry) => `import '${entry}';`).join('\n');
  texts.set(fileOf(modules.length), index);
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => texts.has(path) || fileExists(path);
  host.readFile = (path) => texts.get(path) ?? readFile(path);
  host.getSourceFile = (path, version, ...rest) => {
    const text = texts.get(path);
    return text === undefined
      ? getSourceFile(path, version, ...rest)
      : ts.createSourceFile(path, text, version, true);
  };
  return ts.createProgram([...texts.keys(), join(folder, 'reader/css.d.ts')], options, host);
}

function exportsOf(program: ts.Program, entry: string): Set<string> {
  const checker = program.getTypeChecker();
  const file = program
    .getSourceFiles()
    .flatMap(({ fileName, statements }) => (fileName.startsWith(`${folder}/example-`) ? [...statements] : []))
    .filter(ts.isImportDeclaration)
    .find(({ moduleSpecifier }) => (moduleSpecifier as ts.StringLiteral).text === entry);
  const symbol = file && checker.getSymbolAtLocation(file.moduleSpecifier);
  if (!symbol) throw new Error(`${entry} was not found: run npm run build.`);
  return new Set(checker.getExportsOfModule(symbol).map(({ name }) => name));
}

function problemsOf(program: ts.Program, path: string, { file, parts }: Example): string[] {
  const source = program.getSourceFile(path);
  return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
    (one) => {
      let line = (source?.getLineAndCharacterOfPosition(one.start ?? 0).line ?? 0) - 1;
      for (const part of parts) {
        const lines = part.code.split('\n').length - 1;
        if (line < lines) return `${file}:${part.line + line}: ${messageOf(one)}`;
        line -= lines;
      }
      return `${file}: ${messageOf(one)}`;
    },
  );
}

function messageOf({ messageText }: ts.Diagnostic): string {
  return ts.flattenDiagnosticMessageText(messageText, '\n');
}
