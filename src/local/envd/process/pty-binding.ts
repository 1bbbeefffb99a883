import { createRequire } from 'node:module';

/** The native half of node-pty, as far as it is used here. */
export interface PtyBinding {
  fork(
    file: string,
    args: string[],
    env: string[],
    cwd: string,
    cols: number,
    rows: number,
    uid: number,
    gid: number,
    utf8: boolean,
    helperPath: string,
    onExit: (exitCode: number, signal: number) => void,
  ): { fd: number; pid: number; pty: string };
  resize(fd: number, cols: number, rows: number): void;
}

let loaded: { binding: PtyBinding; helperPath: string } | undefined;

/**
 * Loads node-pty's binary at the first terminal. Its own `Terminal` class is passed by: that one closes the
 * terminal 200 ms after its process ended, read out or not, and so loses the tail of the output.
 */
export function ptyBinding(): { binding: PtyBinding; helperPath: string } {
  if (!loaded) {
    const require = createRequire(import.meta.url);
    const { requireBinary } = require('@lydell/node-pty/requireBinary.js') as {
      requireBinary(file: string): PtyBinding;
    };
    // Only macOS starts terminals through a helper program.
    const helper = `@lydell/node-pty-${process.platform}-${process.arch}/spawn-helper`;
    const helperPath = process.platform === 'darwin' ? require.resolve(helper) : '';
    loaded = { binding: requireBinary('pty.node'), helperPath };
  }
  return loaded;
}
