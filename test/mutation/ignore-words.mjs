import { declareValuePlugin, PluginKind } from '@stryker-mutator/api/plugin';

/** What takes a message to people or to the log, and in which place. Their codes are no words, and are mutated. */
const places = {
  askStore: 0,
  httpRefusal: 2,
  invalidGrant: 0,
  invalidKey: 0,
  invalidOption: 1,
  invalidRequest: 0,
  misconfigured: 0,
  notGranted: 0,
  notInStrictMode: 0,
  withDeadline: 1,
};

/** Leaves the words of refusals alone: no test should hold them fast. */
const words = {
  shouldIgnore(path) {
    if (!path.isStringLiteral() && !path.isTemplateLiteral()) return undefined;
    const inside = path.findParent(({ node }) => placeOf(node) !== undefined);
    if (!inside) return undefined;
    const argument = inside.node.arguments[placeOf(inside.node)];
    const isWord = path.node === argument || path.findParent(({ node }) => node === argument) !== null;
    return isWord ? 'the words of a refusal' : undefined;
  },
};

function placeOf({ type, callee }) {
  if (type === 'NewExpression') return /Error$/.test(callee.name ?? '') ? 0 : undefined;
  return type === 'CallExpression' ? places[callee.name] : undefined;
}

export const strykerPlugins = [declareValuePlugin(PluginKind.Ignore, 'words', words)];
