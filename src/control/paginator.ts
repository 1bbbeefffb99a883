import { InvalidArgumentError } from '../errors.js';
import type { CallOptions } from '../transport/call-options.js';
import type { ControlApi, ListQuery } from './api.js';
import { type SandboxInfo, sandboxInfo } from './sandbox-info.js';

/**
 * A list that comes in pages.
 *
 * ```ts
 * const sandboxes = Sandbox.list()
 * while (sandboxes.hasNext) for (const { sandboxId } of await sandboxes.nextItems()) show(sandboxId)
 * ```
 */
export class SandboxPaginator {
  readonly #api: () => ControlApi;
  readonly #query: ListQuery;
  #nextToken: string | undefined;
  #hasNext = true;

  /** Use `Sandbox.list`. @internal */
  constructor(api: () => ControlApi, query: ListQuery) {
    this.#api = api;
    this.#query = query;
    this.#nextToken = query.nextToken;
  }

  /** Whether there may be more. */
  get hasNext(): boolean {
    return this.#hasNext;
  }

  /** Where the next page begins, to be given to another `list`. */
  get nextToken(): string | undefined {
    return this.#nextToken;
  }

  /** @throws {InvalidArgumentError} code `no_more_pages`: there is no next page. */
  async nextItems(options: CallOptions = {}): Promise<SandboxInfo[]> {
    if (!this.#hasNext) {
      throw new InvalidArgumentError('There are no more pages: look at hasNext first.', {
        code: 'no_more_pages',
      });
    }
    const token = this.#nextToken;
    const { sandboxes, nextToken } = await this.#api().list(
      { ...this.#query, ...(token !== undefined && { nextToken: token }) },
      options,
    );
    this.#nextToken = nextToken;
    this.#hasNext = nextToken !== undefined;
    return sandboxes.map(sandboxInfo);
  }
}
