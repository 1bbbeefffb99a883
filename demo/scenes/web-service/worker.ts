/** The service as a Cloudflare Worker, without `nodejs_compat`. The key is a secret: `wrangler secret put E2B_API_KEY`. */

import { createApp } from './app.ts';

export default createApp();
