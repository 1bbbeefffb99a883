/** A button of a notice. */
export interface NoticeAction {
  label: string;
  run: () => void;
}

/** One message over a corner of the terminal, with buttons. It never touches what the screen holds. */
export class Notice {
  readonly element: HTMLElement;

  /** @param role how urgently assistive technology reads it: `status` waits, `alert` interrupts. */
  constructor(role: 'status' | 'alert') {
    this.element = document.createElement('div');
    // A live region is announced only when it was there, empty, before its text came.
    this.element.setAttribute('role', role);
    this.element.className = 'sandbox-terminal-notice';
  }

  show(text: string, actions: NoticeAction[] = []): void {
    const words = document.createElement('span');
    words.textContent = text;
    this.element.replaceChildren(words, ...actions.map(button));
  }

  hide(): void {
    this.element.replaceChildren();
  }
}

function button(action: NoticeAction): HTMLButtonElement {
  const element = document.createElement('button');
  element.type = 'button';
  element.textContent = action.label;
  element.addEventListener('click', action.run);
  return element;
}
