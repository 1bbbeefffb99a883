/** How Deno runs a program of the tests: offline, with no permission but for what the program says to need. */
export const denoArguments: readonly string[] = [
  'run',
  '--no-remote',
  '--cached-only',
  '--node-modules-dir=manual',
  '--no-lock',
  '--no-prompt',
  // The tests import each other with the endings that they have once compiled, as TypeScript wants it.
  '--unstable-sloppy-imports',
  '--allow-net=127.0.0.1,localhost',
  '--allow-env=E2B_*',
];
