import { join } from 'node:path';
import { rootVariable } from '../os/sweep.js';
import type { Isolation } from './isolation.js';
import { MarkedEnclosure } from './marked-enclosure.js';
import type { RuntimeFiles } from './runtime-files.js';

/**
 * envd as an ordinary process of this user. Paths that go through envd stay inside the sandbox's directory; what
 * programs do is not restricted at all.
 */
export function noIsolation(runtime: RuntimeFiles): Isolation {
  const node = runtime.node.startsWith('/') ? runtime.node : join(runtime.directory, runtime.node);
  return {
    kind: 'none',
    async launch({ root }) {
      if (typeof root !== 'string') throw new Error('there are no layers without isolation');
      return {
        command: [node, join(runtime.directory, runtime.script), root],
        // The mark is for envd's own helpers; those of its programs are their own.
        env: { PATH: process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin', [rootVariable]: root },
        pipes: 0,
        enclose: async (child) => new MarkedEnclosure(child, root),
      };
    },
  };
}
