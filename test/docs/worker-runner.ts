import { Miniflare } from 'miniflare';
import type { Runner } from './places.js';

/** Starts each example as a Worker, without `nodejs_compat`, and sends it a request of no interest. */
export function createWorkerRunner(): Runner {
  return {
    async run(code) {
      const worker = new Miniflare({
        modules: true,
        script: code,
        compatibilityDate: '2026-04-01',
        compatibilityFlags: [],
        bindings: {
          E2B_API_KEY: `e2b_${'0'.repeat(40)}`,
          SESSION_KEY: 'a key that signs the sessions of the examples',
        },
      });
      try {
        const answer = await worker.dispatchFetch('http://worker.test/');
        const output = `${answer.status} ${await answer.text()}`;
        return { output, ...(answer.status >= 500 && { error: output }) };
      } finally {
        await worker.dispose();
      }
    },
    close: async () => undefined,
  };
}
