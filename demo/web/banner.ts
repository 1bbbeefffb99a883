import { byId, make, makeButton } from './dom.js';
import { explain } from './words.js';

/** What the banner's buttons do. */
export interface BannerActions {
  retry: () => void;
  newSandbox: () => void;
}

/** The line at the top for what concerns the whole page. */
export class Banner {
  readonly #element = byId('banner');
  readonly #actions: BannerActions;

  constructor(actions: BannerActions) {
    this.#actions = actions;
  }

  /** Shows an error if it concerns the page as a whole. */
  show(error: unknown): void {
    const { text, remedy } = explain(error);
    if (remedy === 'none') return;
    const button =
      remedy === 'new'
        ? makeButton('Start a new sandbox', this.#actions.newSandbox, 'primary')
        : makeButton('Try again', this.#actions.retry, 'primary');
    this.#element.replaceChildren(make('span', '', text), button);
    this.#element.hidden = false;
  }

  /** Shows an error whatever it is about. */
  showAll(error: unknown): void {
    this.#element.replaceChildren(
      make('span', '', explain(error).text),
      makeButton('Try again', this.#actions.retry, 'primary'),
    );
    this.#element.hidden = false;
    this.show(error);
  }

  hide(): void {
    this.#element.hidden = true;
  }
}
