/** Runs the store suite in Deno, against its own KV in a file, and prints the results. */

import { createDenoKvStore, type DenoKvLike } from '../../../../src/hosts/deno/deno-kv-store.js';
import { runStoreSuite } from './store-suite.js';

const { Deno } = globalThis as unknown as {
  Deno: { args: string[]; openKv(path?: string): Promise<DenoKvLike & { close(): void }> };
};
const kv = await Deno.openKv(Deno.args[0]);
console.log(JSON.stringify(await runStoreSuite(createDenoKvStore(kv))));
kv.close();
