/** Makes the runtime one that has no symbols for disposal, as Safari. In Node they cannot be deleted. */

const {
  dispose: _dispose,
  asyncDispose: _asyncDispose,
  ...others
} = Object.getOwnPropertyDescriptors(Symbol);
const original = Symbol;
globalThis.Symbol = Object.defineProperties((description) => original(description), others);
