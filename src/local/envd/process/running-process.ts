import { Code, ConnectError } from '@connectrpc/connect';
import type { ProcessConfig } from '../../../wire/gen/process/process_pb.js';
import type { ExitStatus } from './exit-status.js';
import type { OutputKind, Spawned } from './spawned.js';
import { Subscriber } from './subscriber.js';

/** How long a subscriber may hold the process, and so the other subscribers, without taking anything. */
const stallLimitMs = 10_000;

/** A process that envd started, with everyone who reads from it. */
export class RunningProcess {
  /** As it was asked for: this is what `List` shows. */
  readonly config: ProcessConfig;
  readonly tag: string | undefined;
  readonly #subscribers = new Map<Subscriber, ReturnType<typeof setTimeout> | undefined>();
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
    for (const subscriber of this.#subscribers.keys()) subscriber.push({ kind, chunk });
    this.#balance();
  };

  /** Takes over the started process; resolves when it has ended. */
  async run(spawned: Spawned): Promise<ExitStatus> {
    this.#spawned = spawned;
    const end = await spawned.ended;
    this.#end = end;
    for (const subscriber of this.#subscribers.keys()) subscriber.finish(end);
    return end;
  }

  subscribe(): Subscriber {
    const subscriber = new Subscriber(() => this.#balance());
    this.#subscribers.set(subscriber, undefined);
    if (this.#end) subscriber.finish(this.#end);
    return subscriber;
  }

  unsubscribe(subscriber: Subscriber): void {
    clearTimeout(this.#subscribers.get(subscriber));
    this.#subscribers.delete(subscriber);
    this.#balance();
  }

  /** Reads on exactly while every subscriber has room. */
  #balance(): void {
    let held = false;
    for (const [subscriber, timer] of this.#subscribers) {
      if (subscriber.full) {
        held = true;
        if (!timer) this.#subscribers.set(subscriber, this.#stallTimer(subscriber));
      } else if (timer) {
        clearTimeout(timer);
        this.#subscribers.set(subscriber, undefined);
      }
    }
    if (held === this.#held) return;
    this.#held = held;
    if (held) this.#spawned.pause();
    else this.#spawned.resume();
  }

  #stallTimer(subscriber: Subscriber): ReturnType<typeof setTimeout> {
    return setTimeout(() => {
      const others = [...this.#subscribers.keys()].some((other) => other !== subscriber && other.waiting);
      if (!others) {
        this.#subscribers.set(subscriber, this.#stallTimer(subscriber));
        return;
      }
      this.#subscribers.delete(subscriber);
      subscriber.fail(
        new ConnectError(
          'subscriber is too slow, and others wait for the same output',
          Code.ResourceExhausted,
        ),
      );
      this.#balance();
    }, stallLimitMs);
  }
}
