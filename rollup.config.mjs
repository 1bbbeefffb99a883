import { chmodSync } from 'node:fs';
import nodeResolve from '@rollup/plugin-node-resolve';
import typescript from '@rollup/plugin-typescript';

const entries = {
  index: 'src/index.ts',
  browser: 'src/browser.ts',
  broker: 'src/broker.ts',
  'broker-node': 'src/broker-node.ts',
  'broker-deno': 'src/broker-deno.ts',
  'broker-bun': 'src/broker-bun.ts',
  'broker-cloudflare': 'src/broker-cloudflare.ts',
  terminal: 'src/terminal.ts',
  'terminal-element': 'src/terminal-element.ts',
  local: 'src/local.ts',
  errors: 'src/errors.ts',
  cli: 'src/cli.ts',
};

const isBare = (id) => !/^[./]/.test(id) && !id.startsWith('\0');

// The plugin asks TypeScript to resolve without saying that the importer is a module; `npm run types` checks with NodeNext.
const resolution = { module: 'ESNext', moduleResolution: 'bundler' };

/** One module out for each module in, so that every entry shares the same classes. */
const library = {
  input: entries,
  external: isBare,
  output: {
    dir: 'dist',
    format: 'es',
    preserveModules: true,
    preserveModulesRoot: 'src',
    sourcemap: true,
    sourcemapExcludeSources: true,
  },
  plugins: [
    typescript({
      tsconfig: 'tsconfig.node.json',
      ...resolution,
      noEmit: false,
      noEmitOnError: true,
      declaration: true,
      declarationDir: 'dist',
      outDir: 'dist',
    }),
    { name: 'executable', writeBundle: () => chmodSync('dist/cli.js', 0o755) },
  ],
};

/**
 * The envd of the local server is one file with everything in it: it is started in a namespace of its own, where there
 * is no node_modules, and one file starts faster. Native modules stay outside.
 */
const envd = {
  input: 'src/local/envd/main.ts',
  external: (id) => /^(node:|@lydell\/node-pty|@napi-rs\/xattr)/.test(id),
  output: { file: 'dist/local/envd/main.js', format: 'es', inlineDynamicImports: true },
  plugins: [
    nodeResolve({ exportConditions: ['node'] }),
    typescript({
      tsconfig: 'tsconfig.node.json',
      ...resolution,
      noEmit: false,
      noEmitOnError: true,
      outDir: 'dist/local/envd',
      declaration: false,
      isolatedDeclarations: false,
    }),
  ],
};

export default [library, envd];
