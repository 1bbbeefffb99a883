/**
 * The symbol that `await using` looks for. Where the runtime has none (Safari), compilers' helpers look for this one
 * (esbuild's and Babel's do; TypeScript's asks for a polyfill), so nothing global is changed.
 * Declarations that name it refer to TypeScript's library for it, since many programs are compiled without.
 */
export const asyncDispose: typeof Symbol.asyncDispose = /*@__PURE__*/ (() =>
  Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose'))() as typeof Symbol.asyncDispose;
