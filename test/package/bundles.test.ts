import { fileURLToPath } from 'node:url';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import { rollup } from 'rollup';
import { build } from 'vite';
import { describe, expect, test } from 'vitest';
import { readWeights, weigh } from '../../scripts/check-sizes.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('bundled for browsers by esbuild', () => {
  for (const weight of readWeights()) {
    test(weight.what, async () => {
      const { problems } = await weigh(weight);
      expect(problems).toEqual([]);
    });
  }
});

describe('bundled by rollup, without a polyfill', () => {
  for (const { what, code, external = [] } of readWeights()) {
    test(what, async () => {
      const warnings: string[] = [];
      const build = await rollup({
        input: 'hello.js',
        external: external.map((pattern) => new RegExp(`^${pattern.replace('*', '.*')}$`)),
        onwarn: (warning) => warnings.push(warning.message),
        plugins: [virtual(code), nodeResolve({ browser: true, rootDir: root })],
      });
      const { output } = await build.generate({ format: 'es' });
      await build.close();
      const imports = output.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.imports : []));
      expect(imports.filter((name) => name.startsWith('node:'))).toEqual([]);
      expect(warnings.filter((warning) => /unresolved|builtin/i.test(warning))).toEqual([]);
    });
  }
});

describe('bundled by Vite, as a page is', () => {
  for (const { what, code, external = [] } of readWeights().filter(({ forbidden }) => forbidden.length > 0)) {
    test(what, async () => {
      const warnings: string[] = [];
      const result = await build({
        root,
        configFile: false,
        logLevel: 'silent',
        plugins: [virtual(code)],
        build: {
          write: false,
          target: 'es2022',
          rolldownOptions: {
            input: 'hello.js',
            external: external.map((pattern) => new RegExp(`^${pattern.replace('*', '.*')}$`)),
            onwarn: (warning) => warnings.push(warning.message ?? ''),
          },
        },
      });
      expect(result).toHaveProperty('output');
      // Vite puts an empty module in the place of what only Node has, and says so.
      expect(warnings.filter((warning) => /externalized|unresolved|builtin/i.test(warning))).toEqual([]);
    });
  }
});

/** An entry that is given as text, and stands in the repository's folder. */
function virtual(code: string) {
  const id = `${root}hello.js`;
  return {
    name: 'virtual-entry',
    resolveId: (source: string) => (source === 'hello.js' ? id : null),
    load: (source: string) => (source === id ? code : null),
  };
}
