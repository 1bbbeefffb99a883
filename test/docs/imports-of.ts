import ts from 'typescript';

/** For each name that a module imports, a statement that imports it alone. */
export function importsOf(code: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const statement of ts.createSourceFile('example.ts', code, ts.ScriptTarget.ES2023).statements) {
    if (!ts.isImportDeclaration(statement) || !statement.importClause) continue;
    const from = `from '${(statement.moduleSpecifier as ts.StringLiteral).text}';`;
    const { name, namedBindings } = statement.importClause;
    if (name) found.set(name.text, `import ${name.text} ${from}`);
    if (!namedBindings) continue;
    if (ts.isNamespaceImport(namedBindings)) {
      found.set(namedBindings.name.text, `import * as ${namedBindings.name.text} ${from}`);
    } else {
      for (const { name: local, propertyName } of namedBindings.elements) {
        const words = propertyName ? `${propertyName.text} as ${local.text}` : local.text;
        found.set(local.text, `import { ${words} } ${from}`);
      }
    }
  }
  return found;
}
