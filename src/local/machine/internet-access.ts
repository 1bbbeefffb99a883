import { access } from 'node:fs/promises';
import type { Owner } from './host-ids.js';
import { Internet, type NetworkPlace } from './internet.js';

const usualPlaces = ['/usr/bin/slirp4netns', '/usr/local/bin/slirp4netns', '/bin/slirp4netns'];

/** Whether sandboxes of this server get a way out. Decided by the first that asks, for all that follow. */
export class InternetAccess {
  readonly #executable: string | undefined;
  readonly #owner: Owner | undefined;
  #works: boolean | undefined;
  #problem: string | undefined;

  private constructor(executable: string | undefined, owner: Owner | undefined) {
    this.#executable = executable;
    this.#owner = owner;
    if (!executable) this.#problem = 'slirp4netns is not installed';
  }

  /** `owner` is who makes the namespaces; the server's own user when absent. `places`: where to look for slirp4netns. */
  static async find(
    owner: Owner | undefined,
    places: readonly string[] = usualPlaces,
  ): Promise<InternetAccess> {
    for (const path of places) {
      const found = await access(path).then(
        () => true,
        () => false,
      );
      if (found) return new InternetAccess(path, owner);
    }
    return new InternetAccess(undefined, owner);
  }

  /** Why there is none, once that is known. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** `undefined` where this host has no way out to give. */
  async open(place: NetworkPlace): Promise<Internet | undefined> {
    if (!this.#executable || this.#problem !== undefined) return undefined;
    try {
      const internet = await Internet.open(this.#executable, place, this.#owner);
      this.#works = true;
      return internet;
    } catch (error) {
      // What has worked before is not given up for good.
      if (this.#works) throw error;
      this.#problem = (error as Error).message;
      return undefined;
    }
  }
}
