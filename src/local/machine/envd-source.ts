import { EnvdProcess } from './envd-process.js';
import type { Isolation } from './isolation.js';

/**
 * Where envd processes come from. One is kept running ahead of need, so that creating a sandbox does not wait for
 * a start.
 */
export class EnvdSource {
  readonly #isolation: Isolation;
  #spare: Promise<EnvdProcess>;
  #closed = false;

  /** `first` is a process of this isolation that already runs. */
  constructor(isolation: Isolation, first: EnvdProcess) {
    this.#isolation = isolation;
    this.#spare = Promise.resolve(first);
  }

  /** A process that nobody else has. */
  async take(): Promise<EnvdProcess> {
    const spare = this.#spare;
    this.#spare = this.#start();
    // Its failure is told to whoever takes it.
    this.#spare.catch(() => {});
    const envd = await spare;
    if (envd.running) return envd;
    await envd.close();
    return this.#start();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#spare.then(
      (envd) => envd.close(),
      () => {},
    );
  }

  async #start(): Promise<EnvdProcess> {
    if (this.#closed) throw new Error('the local server is closed');
    return EnvdProcess.start(await this.#isolation.launch());
  }
}
