import type { Pty } from '../sandbox/pty.js';

/** What of a sandbox a terminal needs: any `Sandbox` will do. */
export interface TerminalSandbox {
  readonly pty: Pick<Pty, 'create' | 'connect'>;
}
