import type { ClientHttp2Stream, OutgoingHttpHeaders } from 'node:http2';
import { setTimeout as delay } from 'node:timers/promises';
import { Turns } from '../os/turns.js';
import type { EnvdProcess, InitSettings } from './envd-process.js';
import type { Limits, Usage } from './limits.js';
import type { MachineFiles } from './machine-files.js';
import { StreamCancels } from './stream-cancels.js';

/** A sandbox as the host sees it: envd with everything below it, and the files it works on. */
export class Machine {
  /** Resolves when nothing can be asked of it any more, for whatever reason. */
  readonly gone: Promise<void>;
  readonly #envd: EnvdProcess;
  readonly #files: MachineFiles;
  readonly #streams = new Set<ClientHttp2Stream>();
  readonly #cancels = new StreamCancels();
  /** One waits for the other: freezing, thawing, saving and ending. */
  readonly #change = new Turns(1);
  #frozen = false;
  #ending: Promise<void> | undefined;

  constructor(envd: EnvdProcess, files: MachineFiles) {
    this.#envd = envd;
    this.#files = files;
    this.gone = envd.gone;
  }

  get running(): boolean {
    return this.#envd.running;
  }

  /** Gives every process of the sandbox these settings. */
  async init(settings: InitSettings): Promise<void> {
    await this.#envd.init(settings);
  }

  /** Asks envd. Throws when it is not there to take a request. */
  request(headers: OutgoingHttpHeaders, options: { endStream: boolean }): ClientHttp2Stream {
    const stream = this.#envd.session.request(headers, options);
    this.#streams.add(stream);
    stream.once('close', () => this.#streams.delete(stream));
    return stream;
  }

  /** Tells envd that nobody waits for the answer any more. Not by the stream itself: envd hears only so many. */
  cancel(stream: ClientHttp2Stream): void {
    this.#cancels.cancel(stream);
  }

  /** Stops every process where it is, and cuts off whoever is connected to one. */
  async freeze(): Promise<void> {
    await this.#change.run(() => this.#freeze());
  }

  async #freeze(): Promise<void> {
    this.#checkNotEnded();
    if (this.#frozen) return;
    this.#frozen = true;
    for (const stream of this.#streams) this.cancel(stream);
    // envd has to hear that they left, or it would go on collecting output for them.
    await Promise.race([this.#settled(), delay(settleLimitMs)]);
    await this.#envd.enclosure.freeze();
  }

  async #settled(): Promise<void> {
    if (this.#envd.running) await this.#envd.ping();
  }

  /** Lets all go on. */
  async thaw(): Promise<void> {
    await this.#change.run(async () => {
      this.#checkNotEnded();
      if (!this.#frozen) return;
      this.#frozen = false;
      await this.#envd.enclosure.thaw();
    });
  }

  /** A copy of the files, as they are at one moment. Processes and their memory are not in it. */
  async saveFiles(): Promise<MachineFiles> {
    return this.#change.run(async () => {
      this.#checkNotEnded();
      if (this.#frozen) return this.#files.copy();
      await this.#envd.enclosure.freeze();
      try {
        return await this.#files.copy();
      } finally {
        await this.#envd.enclosure.thaw();
      }
    });
  }

  /** Changes what the processes may use, as far as this host can limit it. */
  async limit(limits: Partial<Limits>): Promise<void> {
    await this.#envd.enclosure.limit(limits);
  }

  async usage(): Promise<Usage> {
    return this.#envd.enclosure.usage();
  }

  /** Leaves the sandbox no network but its own loopback. */
  async closeInternet(): Promise<void> {
    await this.#envd.enclosure.closeInternet();
  }

  /** Ends every process and leaves the files, which another machine can be started with. */
  async stop(): Promise<MachineFiles> {
    await this.#end();
    return this.#files;
  }

  /** Ends every process and removes the files. */
  async close(): Promise<void> {
    await this.#end();
    await this.#files.remove();
  }

  #end(): Promise<void> {
    this.#ending ??= this.#change.run(async () => {
      await this.#envd.close();
      this.#files.rest();
    });
    return this.#ending;
  }

  #checkNotEnded(): void {
    if (this.#ending) throw new Error('the sandbox has ended');
  }
}

const settleLimitMs = 500;
