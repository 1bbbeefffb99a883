/** The public methods and functions of the client's entries, read from their built declarations. */

import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('..', import.meta.url));
const entries = ['dist/index.d.ts', 'dist/browser.d.ts'];
/** The interfaces with methods that an application implements. */
const given = new Set(['Logger', 'PoolableSandbox', 'SandboxPoolOptions']);

/**
 * As `Sandbox.create` for a static method, `Sandbox#kill` for others, `fetchSession` for a function. The classes of
 * errors are left out.
 * @returns {string[]}
 */
export function publicMethods() {
  const files = entries.map((entry) => root + entry);
  const program = ts.createProgram(files, {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts', 'lib.dom.d.ts', 'lib.dom.asynciterable.d.ts'],
    types: [],
  });
  const checker = program.getTypeChecker();
  const found = new Set();
  for (const path of files) {
    const source = program.getSourceFile(path);
    const symbol = source && checker.getSymbolAtLocation(source);
    if (!symbol) throw new Error(`${path} was not found: run npm run build.`);
    for (const one of checker.getExportsOfModule(symbol)) {
      const target = one.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(one) : one;
      for (const method of methodsOf(target, checker)) found.add(method);
    }
  }
  return [...found].sort();
}

/**
 * @param {ts.Symbol} symbol
 * @param {ts.TypeChecker} checker
 * @returns {string[]}
 */
function methodsOf(symbol, checker) {
  const { name, flags } = symbol;
  if (flags & ts.SymbolFlags.Function) return [name];
  const isClass = flags & ts.SymbolFlags.Class;
  if (!isClass && !(flags & ts.SymbolFlags.Interface)) return [];
  if (given.has(name) || (isClass && name.endsWith('Error'))) return [];
  const statics = isClass ? checker.getPropertiesOfType(checker.getTypeOfSymbol(symbol)) : [];
  const others = checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol));
  return [
    ...statics.flatMap((member) => nameOf(member)).map((member) => `${name}.${member}`),
    ...others.flatMap((member) => nameOf(member)).map((member) => `${name}#${member}`),
  ];
}

/**
 * The name of a public method, none for any other member.
 * @param {ts.Symbol} member
 * @returns {string[]}
 */
function nameOf({ declarations = [] }) {
  const own = declarations.filter(
    (one) => !/node_modules\/(typescript|@types)\//.test(one.getSourceFile().fileName),
  );
  const method = own.find((one) => isCallable(one) && !isHidden(one));
  return method?.name ? [method.name.getText()] : [];
}

/**
 * @param {ts.Declaration} member
 * @returns {member is ts.MethodDeclaration | ts.MethodSignature | ts.PropertyDeclaration}
 */
function isCallable(member) {
  if (ts.isMethodDeclaration(member) || ts.isMethodSignature(member)) return true;
  // `[Symbol.asyncDispose]` is given to each instance, as not every runtime has the symbol.
  return ts.isPropertyDeclaration(member) && ts.isComputedPropertyName(member.name);
}

/** @param {ts.Declaration} member */
function isHidden(member) {
  const modifiers = ts.getCombinedModifierFlags(member);
  if (modifiers & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) return true;
  return ts.getJSDocTags(member).some(({ tagName }) => tagName.text === 'internal');
}
