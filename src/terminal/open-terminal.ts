import { InvalidArgumentError } from '../errors.js';
import type { OpenTerminalOptions } from './open-options.js';
import { SandboxTerminal } from './sandbox-terminal.js';
import type { TerminalSandbox } from './terminal-sandbox.js';

/**
 * Opens a terminal in an element of the page, which gives it its size: a new shell in the sandbox, or with `pid` the
 * one that was open before. Dropped connections heal by themselves, without a lost or doubled byte.
 *
 * The page loads xterm's style itself: `import '@xterm/xterm/css/xterm.css'`, or a `<link>` to a copy of it.
 *
 * ```ts
 * const terminal = await openTerminal(sandbox, document.querySelector('#terminal')!);
 * ```
 *
 * @throws {InvalidArgumentError} code `element_missing` if the element is not in a document.
 * @throws what `sandbox.pty.create()` or `connect()` throws; nothing is left in the element then.
 */
export async function openTerminal(
  sandbox: TerminalSandbox,
  element: HTMLElement,
  options: OpenTerminalOptions = {},
): Promise<SandboxTerminal> {
  if (!element?.isConnected) {
    throw new InvalidArgumentError(
      'The element for the terminal is not in the document. Check the selector, or append the element first.',
      { code: 'element_missing' },
    );
  }
  const { signal } = options;
  signal?.throwIfAborted();
  const terminal = new SandboxTerminal(sandbox, element, options);
  const giveUp = (): void => terminal.dispose();
  signal?.addEventListener('abort', giveUp);
  try {
    await terminal.attach(options.pid);
    signal?.throwIfAborted();
  } catch (error) {
    terminal.dispose();
    throw signal?.aborted ? signal.reason : error;
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
  return terminal;
}
