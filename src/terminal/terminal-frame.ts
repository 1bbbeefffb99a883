import type { Terminal } from '@xterm/xterm';
import type { TerminalLabels } from './labels.js';
import { Notice } from './notice.js';
import { addTerminalStyle } from './terminal-style.js';

/** The elements around an xterm screen: the screen itself, notices over its corner, and a way out by keyboard. */
export class TerminalFrame {
  readonly root: HTMLElement;
  readonly screen: HTMLElement;
  /** How the link and the shell are. */
  readonly status: Notice = new Notice('status');
  /** What happened to typed input. */
  readonly input: Notice = new Notice('alert');
  readonly #exit: HTMLElement;

  constructor(parent: HTMLElement, labels: TerminalLabels) {
    this.root = box('sandbox-terminal');
    this.root.setAttribute('role', 'group');
    this.root.setAttribute('aria-label', labels.terminal);
    this.screen = box('sandbox-terminal-screen');
    const notices = box('sandbox-terminal-notices');
    notices.append(this.status.element, this.input.element);
    this.#exit = document.createElement('span');
    this.#exit.tabIndex = -1;
    this.#exit.setAttribute('role', 'note');
    this.#exit.setAttribute('aria-label', labels.leaveHint);
    this.root.append(this.screen, notices, this.#exit);
    parent.append(this.root);
    addTerminalStyle(parent);
  }

  /** Tab belongs to the shell, so another key has to lead out: after Shift+F6, Tab goes on behind the terminal. */
  open(terminal: Terminal, labels: TerminalLabels): void {
    terminal.open(this.screen);
    terminal.textarea?.setAttribute('aria-label', `${labels.terminal}. ${labels.leaveHint}`);
    terminal.attachCustomKeyEventHandler((event) => {
      if (isCopy(event) && terminal.hasSelection()) {
        event.preventDefault();
        // xterm puts its selection into the event that this fires. The clipboard's own API needs HTTPS.
        if (event.type === 'keydown') document.execCommand('copy');
        return false;
      }
      if (event.key !== 'F6' || !event.shiftKey) return true;
      event.preventDefault();
      this.#exit.focus();
      return false;
    });
    if (getComputedStyle(terminal.element!).position !== 'relative') {
      console.warn('e2b-edge/terminal: the page has not loaded @xterm/xterm/css/xterm.css.');
    }
  }

  /** An ended terminal looks so, and takes no input. */
  markEnded(ended: boolean): void {
    this.root.toggleAttribute('data-ended', ended);
  }

  /** A terminal that is watched has the size of another window, and may be larger than its place. */
  markWatching(watching: boolean): void {
    this.root.toggleAttribute('data-watching', watching);
  }
}

/** What terminals copy with where Ctrl-C is the shell's; some browsers open their inspector with it. */
function isCopy(event: KeyboardEvent): boolean {
  return event.code === 'KeyC' && event.ctrlKey && event.shiftKey && !event.altKey && !event.metaKey;
}

function box(className: string): HTMLElement {
  const element = document.createElement('div');
  element.className = className;
  return element;
}
