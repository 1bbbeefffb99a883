import type ts from 'typescript';

/** Cannot find a name, a name as a type, a namespace, a name with a similar one, the value of a shorthand, Bun's. */
const codes = new Set([2304, 2552, 2503, 2749, 18004, 2868]);

/** The names that a module uses and nobody declares. */
export function missingNames(program: ts.Program, path: string, text: string): string[] {
  const missing = program
    .getSemanticDiagnostics(program.getSourceFile(path))
    .filter(({ code }) => codes.has(code))
    .map(({ start = 0, length = 0 }) => text.slice(start, start + length));
  return [...new Set(missing)].sort();
}
