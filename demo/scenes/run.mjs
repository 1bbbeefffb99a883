/**
 * Runs a scene: `node demo/scenes/run.mjs basics`. Without E2B_API_KEY on a local sandbox server, which is started for it;
 * with it in E2B's cloud, which costs money. Compiles it first: `await using` is no syntax of Node 20 and 22 yet.
 */

import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const scenes = {
  basics: './basics.ts',
  'many-sandboxes': './many-sandboxes/main.ts',
  'ends-with-its-block': './ends-with-its-block.ts',
  'web-service': './web-service/node.ts',
  'stream-and-info': './stream-and-info.ts',
  pool: './pool.ts',
  'job-queue': './job-queue.ts',
};

/** Sets what the SDK looks for in the environment. */
async function startServer() {
  const { loadTemplates, startLocalServer } = await import('e2b-edge/local');
  const templates = await loadTemplates(path('./many-sandboxes/templates.json'));
  const server = await startLocalServer({ templates });
  process.env.E2B_API_KEY = server.apiKey;
  process.env.E2B_API_URL = server.apiUrl;
  process.env.E2B_SANDBOX_URL = server.sandboxUrl;
  return server;
}

async function run(scene) {
  const outfile = path(`../dist/scenes/${scene}.mjs`);
  const options = {
    bundle: true,
    packages: 'external',
    format: 'esm',
    target: 'node20',
    logLevel: 'warning',
  };
  buildSync({ ...options, entryPoints: [path(scenes[scene])], outfile });
  const server = process.env.E2B_API_KEY ? undefined : await startServer();
  try {
    await import(outfile);
  } finally {
    await server?.close();
  }
}

const [scene] = process.argv.slice(2);
if (Object.hasOwn(scenes, scene ?? '')) {
  await run(scene);
} else {
  console.error(`Usage: node demo/scenes/run.mjs SCENE\n\nThere are: ${Object.keys(scenes).join(', ')}`);
  process.exitCode = 2;
}
