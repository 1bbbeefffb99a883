/** The demo's server as a process of its own, so that a test can kill it. The options come as JSON. */

import { startDemo } from '../../../demo/node/demo-server.mjs';

const demo = await startDemo(JSON.parse(process.argv[2]));
console.log(JSON.stringify({ url: demo.url }));
