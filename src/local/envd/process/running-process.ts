import { Code, ConnectError } from '@connectrpc/connect';
import type { ProcessConfig } from '../../../wire/gen/process/process_pb.js';
import type { ExitStatus } from './exit-status.js';
import type { OutputKind, Spawned } from './spawned.js';
import { Subscriber } from './subscriber.js';

/** How long a subscriber may hold the process, and so the other subscribers, without taking anything. */
const patienceMs = 250;

/** A process that envd started, with everyone who reads from it. */
export class RunningProcess {
  /** As it was asked for: this is what `List` shows. */
  readonly config: ProcessConfig;
  readonly tag: string | undefined;
  readonly #subscribers = new Set<Subscriber>();
  /** Of those whose queue is full: the patience with them, or that it is over. */
  readonly #patience = new Map<Subscriber, ReturnType<typeof setTimeout> | 'over'>();
  #spawned!: Spawned;
  #end: ExitStatus | undefined;
  #held = false;

  constructor(config: ProcessConfig, tag: string | undefined) {
    this.config = config;
    this.tag = tag;
  }

  get pid(): number {
    return this.#spawned.pid;
  }

  get io(): Spawned {
    return this.#spawned;
  }

  /** To be given to the spawning function as its `onOutput`. Without a subscriber, output is discarded. */
  readonly onOutput = (kind: OutputKind, chunk: Uint8Array): void => {
    for (const subscriber of this.#subscribers) {
      subscriber.push({ kind, chunk });
      if (subscriber.overflowing) this.#drop(subscriber);
    }
    this.#balance();
  };

  /** Takes over the started process; resolves when it has ended. */
  async run(spawned: Spawned): Promise<ExitStatus> {
    this.#spawned = spawned;
    const end = await spawned.ended;
    this.#end = end;
    for (const subscriber of this.#subscribers) subscriber.finish(end);
    return end;
  }

  subscribe(): Subscriber {
    const subscriber = new Subscriber(() => this.#balance());
    this.#subscribers.add(subscriber);
    if (this.#end) subscriber.finish(this.#end);
    return subscriber;
  }

  unsubscribe(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
    this.#balance();
  }

  /**
   * Reads on while every subscriber has room. One that is slow slows all, so that nobody loses anything; but one that
   * has stopped taking does not stop the others: it is waited for by its queue alone.
   */
  #balance(): void {
    let [full, waitedFor] = [0, 0];
    for (const subscriber of this.#subscribers) {
      if (subscriber.full) full++;
      if (subscriber.full && this.#hasPatience(subscriber)) waitedFor++;
    }
    for (const subscriber of this.#patience.keys()) {
      if (!subscriber.full || !this.#subscribers.has(subscriber)) this.#forget(subscriber);
    }
    const held = waitedFor > 0 || (full > 0 && full === this.#subscribers.size);
    if (held === this.#held) return;
    this.#held = held;
    if (held) this.#spawned.pause();
    else this.#spawned.resume();
  }

  #hasPatience(subscriber: Subscriber): boolean {
    if (!this.#patience.has(subscriber)) {
      const over = (): void => {
        this.#patience.set(subscriber, 'over');
        this.#balance();
      };
      this.#patience.set(subscriber, setTimeout(over, patienceMs));
    }
    return this.#patience.get(subscriber) !== 'over';
  }

  #forget(subscriber: Subscriber): void {
    const patience = this.#patience.get(subscriber);
    if (patience !== 'over') clearTimeout(patience);
    this.#patience.delete(subscriber);
  }

  #drop(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
    subscriber.fail(
      new ConnectError('subscriber is too slow, and others wait for the same output', Code.ResourceExhausted),
    );
  }
}
