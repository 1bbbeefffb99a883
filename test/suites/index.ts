/** All suites, in the order in which they run. */

import type { Suite } from './case.js';
import { commandsDurable, ptyDurable } from './commands-durable.js';
import { commandsHandle } from './commands-handle.js';
import { commandsInput } from './commands-input.js';
import { commandsKill, ptyKill } from './commands-kill.js';
import { commandsLimits } from './commands-limits.js';
import { commandsOptions } from './commands-options.js';
import { commandsOutput } from './commands-output.js';
import { commandsReconnect } from './commands-reconnect.js';
import { commandsRun } from './commands-run.js';
import { failures } from './failures.js';
import { filesContent } from './files-content.js';
import { filesOptions } from './files-options.js';
import { filesTree } from './files-tree.js';
import { filesUrls } from './files-urls.js';
import { functions } from './functions.js';
import { git } from './git.js';
import { hooks } from './hooks.js';
import { lifecycle } from './lifecycle.js';
import { lifecycleLosses } from './lifecycle-losses.js';
import { lifecycleOptions } from './lifecycle-options.js';
import { lifecycleQueries } from './lifecycle-queries.js';
import { lifecycleStates } from './lifecycle-states.js';
import { pool } from './pool.js';
import { ptyConnect, ptyWebSocket } from './pty.js';
import { interruptConnect, interruptWebSocket } from './pty-interrupt.js';
import { retries } from './retries.js';
import { sessions } from './sessions.js';
import { sessionsBegun } from './sessions-begun.js';
import { sessionsControl } from './sessions-control.js';
import { sessionsEnded } from './sessions-ended.js';
import { sessionsKept } from './sessions-kept.js';
import { sessionsRepeated } from './sessions-repeated.js';
import { terminalHandles, terminalHandlesWebSocket } from './terminal-handle.js';
import { watch } from './watch.js';

export const suites: Suite[] = [
  lifecycle,
  lifecycleStates,
  lifecycleQueries,
  lifecycleLosses,
  lifecycleOptions,
  sessions,
  sessionsBegun,
  sessionsControl,
  sessionsKept,
  sessionsEnded,
  sessionsRepeated,
  filesContent,
  filesTree,
  filesOptions,
  filesUrls,
  watch,
  git,
  commandsRun,
  commandsHandle,
  commandsInput,
  commandsOutput,
  commandsOptions,
  commandsKill,
  commandsReconnect,
  commandsDurable,
  ptyKill,
  commandsLimits,
  ptyConnect,
  ptyWebSocket,
  interruptConnect,
  interruptWebSocket,
  ptyDurable,
  terminalHandles,
  terminalHandlesWebSocket,
  functions,
  failures,
  retries,
  hooks,
  pool,
];
