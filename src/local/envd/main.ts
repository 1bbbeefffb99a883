/**
 * The program that runs inside each sandbox: envd's services, spoken over the socket it inherits as descriptor
 * 3. It has no address of its own, so nothing in the sandbox and nobody on the host can take its place. When the
 * socket closes, the sandbox is over.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http2';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { killLeftovers, rootVariable } from '../os/sweep.js';
import { builtInAccounts, systemAccounts } from './accounts.js';
import type { SandboxContext } from './context.js';
import { directoryPaths, namespacePaths } from './paths.js';
import { portTunnel } from './port-tunnel.js';
import { FifoPool } from './process/fifo-pool.js';
import { ProcessTable } from './process/process-table.js';
import { routes } from './routes.js';
import { transportSettings } from './transport-settings.js';
import { Users } from './users.js';

/** The sandbox's `/`, when that is only a directory of the host; nothing inside a namespace. */
const root = process.argv[2];

// As in a real sandbox, whatever the server was started with.
process.umask(0o022);
const pipes = join(root ?? '/', 'run/envd');
// There when an envd of the same files was killed.
rmSync(pipes, { recursive: true, force: true });
mkdirSync(pipes, { mode: 0o700 });
const context: SandboxContext = {
  paths: root === undefined ? namespacePaths : directoryPaths(root),
  // Outside a namespace the uids of a sandbox would be somebody's on the host.
  users:
    root === undefined
      ? new Users(systemAccounts, process.getuid?.() === 0)
      : new Users(builtInAccounts, false),
  workdir: '/home/user',
  envs: {},
  marks: root === undefined ? {} : { [rootVariable]: root },
};
const pool = new FifoPool(pipes);
const table = new ProcessTable(context, pool);
const socket = new Socket({ fd: 3 });
socket.once('close', async () => {
  // A namespace takes everything with it.
  if (root !== undefined) {
    table.killAll();
    await killLeftovers(root);
  }
  rmSync(pipes, { recursive: true, force: true });
  process.exit(0);
});
createServer(transportSettings, routes(context, table)).on('connect', portTunnel).emit('connection', socket);
void pool.fill().catch(() => {});
