import { InvalidArgumentError } from '../errors.js';
import type { ConnectionOptions } from './config.js';
import type { Page } from './list-query.js';

/**
 * A list that comes in pages. A loop goes through the items of all of them, and fetches a page when it gets there.
 *
 * ```ts
 * for await (const { sandboxId } of Sandbox.list()) show(sandboxId)
 *
 * const pages = Sandbox.list({ limit: 10 })
 * while (pages.hasNext) show(await pages.nextItems())
 * ```
 */
export class Paginator<Item> implements AsyncIterable<Item> {
  readonly #fetchPage: (nextToken: string | undefined, options: ConnectionOptions) => Promise<Page<Item>>;
  #nextToken: string | undefined;
  #hasNext = true;
  /** The page that is under way, or was: the next one begins where it ends. */
  #last: Promise<unknown> = Promise.resolve();

  /** Use `Sandbox.list` or `Sandbox.listSnapshots`. @internal */
  constructor(
    nextToken: string | undefined,
    fetchPage: (nextToken: string | undefined, options: ConnectionOptions) => Promise<Page<Item>>,
  ) {
    this.#nextToken = nextToken;
    this.#fetchPage = fetchPage;
  }

  /** Whether there may be more. */
  get hasNext(): boolean {
    return this.#hasNext;
  }

  /** Where the next page begins, to be given to another list. */
  get nextToken(): string | undefined {
    return this.#nextToken;
  }

  /**
   * The next page; calls at the same time get one after the other. A call that fails can be made again.
   * @param options for this page, before those of the list.
   * @throws {InvalidArgumentError} code `no_more_pages`: there is no next page.
   */
  nextItems(options: ConnectionOptions = {}): Promise<Item[]> {
    const page = this.#last.then(() => this.#fetchNext(options));
    const done = (): void => undefined;
    this.#last = page.then(done, done);
    return page;
  }

  /** The items from here on. Leaving the loop keeps the place of the page after the one it was in. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
    while (this.#hasNext) yield* await this.nextItems();
  }

  async #fetchNext(options: ConnectionOptions): Promise<Item[]> {
    if (!this.#hasNext) {
      throw new InvalidArgumentError('There are no more pages: look at hasNext first.', {
        code: 'no_more_pages',
      });
    }
    const { items, nextToken } = await this.#fetchPage(this.#nextToken, options);
    this.#nextToken = nextToken;
    this.#hasNext = nextToken !== undefined;
    return items;
  }
}
