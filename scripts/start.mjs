/** What `npm start` does in a fresh clone: set up what is missing, then start the demo. Only Node's own modules here. */

import { ensureBuild, ensureDependencies } from './setup.mjs';

try {
  ensureDependencies();
  ensureBuild();

  const { buildPage } = await import('../demo/build.mjs');
  await buildPage();

  const { main } = await import('../demo/node/main.mjs');
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
