export { type LocalServer, startLocalServer } from './local/local-server.js';
export type { LocalServerOptions } from './local/options.js';
