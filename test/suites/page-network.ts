/** A page's way to the network, which a case can look at, and take away as a machine does that goes to sleep. */

import type { Context } from './case.js';

type FetchLike = (url: string, init: RequestInit) => Promise<Response>;

export class PageNetwork {
  /** The paths of all requests, in the order in which they were made. */
  readonly requests: string[] = [];
  /** What to give to `Sandbox.connect`. */
  readonly options: { fetch: FetchLike; WebSocket: typeof WebSocket };
  readonly #open = new Set<() => void>();
  #asleep = false;

  constructor({ socket }: Pick<Context, 'socket'>, send: FetchLike = (url, init) => fetch(url, init)) {
    const Base = socket.WebSocket ?? WebSocket;
    const sockets = this.#open;
    const options = {
      fetch: (url: string, init: RequestInit) => this.#fetch(send, url, init),
      WebSocket: class extends Base {
        constructor(url: string | URL, protocols?: string | string[]) {
          super(url, protocols);
          sockets.add(() => this.close());
        }
      },
    };
    this.options = options;
  }

  /** How many requests there were for paths that end so. */
  count(end: string): number {
    return this.requests.filter((path) => path.endsWith(end)).length;
  }

  /** Breaks everything off that is open, and lets nothing through. */
  sleep(): void {
    this.#asleep = true;
    for (const breakOff of this.#open) breakOff();
    this.#open.clear();
  }

  wake(): void {
    this.#asleep = false;
  }

  async #fetch(send: FetchLike, url: string, init: RequestInit): Promise<Response> {
    this.requests.push(new URL(url).pathname);
    if (this.#asleep) throw new TypeError('the network is asleep');
    const response = await send(url, init);
    if (!response.body) return response;
    const { status, headers } = response;
    return new Response(this.#breakable(response.body), { status, headers });
  }

  #breakable(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    const reader = body.getReader();
    let breakOff: () => void = () => undefined;
    const settle = (): void => {
      this.#open.delete(breakOff);
    };
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        breakOff = () => {
          controller.error(new TypeError('the network went to sleep'));
          void reader.cancel().catch(() => undefined);
        };
        this.#open.add(breakOff);
      },
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (!done) return controller.enqueue(value);
          settle();
          controller.close();
        } catch (error) {
          settle();
          controller.error(error);
        }
      },
      cancel: (reason) => {
        settle();
        return reader.cancel(reason);
      },
    });
  }
}
