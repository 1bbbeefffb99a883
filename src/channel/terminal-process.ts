import type { PtyCreate } from './channel.js';
import type { ProcessStart } from './process-stream.js';

/** The shell of a terminal. */
export function terminalProcess({ size, user, cwd, envs, timeoutMs = 0 }: PtyCreate): ProcessStart {
  return {
    cmd: '/bin/bash',
    args: ['-i', '-l'],
    // envd sets none of these.
    envs: { TERM: 'xterm-256color', LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', ...envs },
    user,
    cwd,
    pty: size,
    timeoutMs,
  };
}
