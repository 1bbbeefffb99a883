import type { TerminalLabels } from './labels.js';
import type { Notice, NoticeAction } from './notice.js';
import type { TerminalOpen, TerminalStatus } from './open-options.js';

/** What the user may do about a status. */
export interface StatusActions {
  reconnect: () => void;
  reopen: () => void;
  takeOver: () => void;
  /** Absent where new shells are not offered. */
  restart?: () => void;
}

/** What trying again does not change. */
const lasting: readonly string[] = [
  'permission_denied',
  'sandbox_ended',
  'sandbox_not_found',
  'session_expired',
  'session_refused',
  'session_revoked',
  'unauthenticated',
];

/** Says in words how the link and the shell are, and offers what can be done about it. */
export class StatusNotice {
  readonly #notice: Notice;
  readonly #labels: TerminalLabels;
  readonly #actions: StatusActions;

  constructor(notice: Notice, labels: TerminalLabels, actions: StatusActions) {
    this.#notice = notice;
    this.#labels = labels;
    this.#actions = actions;
  }

  show(status: TerminalStatus): void {
    const labels = this.#labels;
    if (status.state === 'open') {
      this.#showMode(status);
    } else if (status.state === 'connecting') {
      this.#notice.show(labels.connecting);
    } else if (status.state === 'reconnecting') {
      const isPaused = errorCode(status.error) === 'sandbox_paused';
      const words = (isPaused && labels.closed.sandbox_paused) || labels.reconnecting;
      this.#notice.show(words, [{ label: labels.tryNow, run: this.#actions.reconnect }]);
    } else if (status.state === 'exited') {
      this.#notice.show(labels.exited(status), this.#restart());
    } else {
      const code = errorCode(status.error);
      const words = labels.closed[code] ?? labels.closedOtherwise(status.error);
      this.#notice.show(words, this.#closedActions(code));
    }
  }

  #showMode({ mode, mayWrite }: TerminalOpen): void {
    const { watching, takeOver, readOnly } = this.#labels;
    if (mode === 'write') this.#notice.hide();
    else if (mayWrite) this.#notice.show(watching, [{ label: takeOver, run: this.#actions.takeOver }]);
    else this.#notice.show(readOnly);
  }

  #closedActions(code: string): NoticeAction[] {
    if (code === 'process_not_found' || code === 'not_found') return this.#restart();
    if (lasting.includes(code)) return [];
    const label = code === 'replaced' ? this.#labels.takeBack : this.#labels.reopen;
    return [{ label, run: this.#actions.reopen }];
  }

  #restart(): NoticeAction[] {
    const { restart } = this.#actions;
    return restart ? [{ label: this.#labels.restart, run: restart }] : [];
  }
}

function errorCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}
