/** How much of a broker one session, and one subject, may take up. */

import { InvalidArgumentError } from '../errors.js';
import { checkOptions, type Rules, whole } from '../transport/check-options.js';
import { httpRefusal, tooMany, tooSoon } from './refusals.js';
import { createSlots } from './slots.js';
import { askStore, storeKey } from './store-access.js';
import type { ExactStore } from './store-claim.js';
import { createMemoryStore } from './stores/memory-store.js';

/**
 * Limits of a broker. Mints are counted in the `store` where that can compare and set; all else, and mints without such
 * a store, in each process or isolate by itself, terminals and their sockets on Cloudflare in each sandbox's Durable
 * Object.
 */
export interface BrokerLimits {
  /** Sessions that a subject may begin within a minute, and refreshes of one session. At most 1000. Default 10. */
  mintsPerMinute?: number;
  /** Terminals at once that a session may have opened; a subject may have four times as many. Default 4. */
  terminals?: number;
  /** WebSockets at once of a session; four times as many of a subject. Default 8. */
  sockets?: number;
  /**
   * Streams, downloads, uploads, and in strict mode all operations on files, at once of a session; four times as many of
   * a subject. Default 16.
   */
  streams?: number;
  /**
   * Calls to envd at once that have one answer, and streams until they begin; four times as many of a subject. Default
   * 64.
   */
  calls?: number;
  /** Requests at once to previews of a session; four times as many of a subject. Default 128. */
  previews?: number;
  /** The largest upload, in bytes. Default: none but the sandbox's disk. */
  uploadBytes?: number;
  /** The largest message of a call, as input to a program, in bytes. At most 16 MiB. Default 1 114 112 (1 MiB and 64 KiB). */
  messageBytes?: number;
  /** All headers of a request together, in bytes, and its address. The server in front may take less. Default 16 KiB. */
  headerBytes?: number;
  /** How long a terminal's WebSocket may take to show its token, in milliseconds. Default 5 000. */
  helloMs?: number;
}

/** What is counted while it lasts. */
export type SlotKind = 'call' | 'stream' | 'terminal' | 'socket' | 'preview';

/** Whose it is. */
export interface SlotOwner {
  sid: string;
  sub: string;
}

export interface Limits {
  readonly max: Required<BrokerLimits>;
  /** Counts a session that the subject begins. Rejects with `rate_limited`. */
  mint(subject: string, store: ExactStore): Promise<void>;
  /** Counts a refresh. Rejects with `rate_limited`. */
  refresh(sessionId: string): Promise<void>;
  /**
   * Counts something for as long as it lasts.
   * @returns what has to be called when it is over; more than once does no harm.
   * @throws 429 `too_many_streams` and the like.
   */
  enter(kind: SlotKind, owner: SlotOwner): () => void;
  /** Counts something until it has settled. Rejects as {@link enter} throws. */
  during<T>(kind: SlotKind, owner: SlotOwner, work: () => Promise<T>): Promise<T>;
  /** @throws 431 `headers_too_large`, 414 `uri_too_long` */
  checkHead(request: Request): void;
}

const defaults: Required<BrokerLimits> = {
  mintsPerMinute: 10,
  terminals: 4,
  sockets: 8,
  streams: 16,
  calls: 64,
  previews: 128,
  uploadBytes: Number.MAX_SAFE_INTEGER,
  messageBytes: 1024 * 1024 + 64 * 1024,
  headerBytes: 16 * 1024,
  helloMs: 5_000,
};
const rules: Rules<BrokerLimits> = {
  mintsPerMinute: whole(1, 1000),
  terminals: whole(1),
  sockets: whole(1),
  streams: whole(1),
  calls: whole(1),
  previews: whole(1),
  uploadBytes: whole(1),
  messageBytes: whole(1024, 16 * 1024 * 1024),
  headerBytes: whole(1024),
  helloMs: whole(100, 60_000),
};
/** A subject may have several pages open. */
export const sessionsPerSubject = 4;
const minuteMs = 60_000;

/** @throws {InvalidArgumentError} code `invalid_option`, naming it. */
export function createLimits(options: BrokerLimits = {}): Limits {
  checkLimits(options);
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const max: Required<BrokerLimits> = { ...defaults, ...Object.fromEntries(given) };
  const local = createMemoryStore();
  const slots = createSlots();
  const perSession: Record<SlotKind, number> = {
    call: max.calls,
    stream: max.streams,
    terminal: max.terminals,
    socket: max.sockets,
    preview: max.previews,
  };

  const enter: Limits['enter'] = (kind, { sid, sub }) => {
    const most = perSession[kind];
    const leave = slots.take([
      [`${kind} of session ${sid}`, most],
      [`${kind} of subject ${sub}`, most * sessionsPerSubject],
    ]);
    if (!leave) throw tooMany(kind);
    return leave;
  };

  return {
    max,
    enter,

    async during(kind, owner, work) {
      const leave = enter(kind, owner);
      try {
        return await work();
      } finally {
        leave();
      }
    },

    async mint(subject, store) {
      await takeTurn(store, await storeKey('mints', subject), max.mintsPerMinute);
    },

    refresh: (sessionId) => takeTurn(local, `refreshes:${sessionId}`, max.mintsPerMinute),

    checkHead(request) {
      if (request.url.length > max.headerBytes) {
        throw httpRefusal(414, 'uri_too_long', `The address is longer than ${max.headerBytes} bytes.`);
      }
      let size = 0;
      for (const [name, value] of request.headers) size += name.length + value.length;
      if (size > max.headerBytes) {
        throw httpRefusal(431, 'headers_too_large', `The headers are more than ${max.headerBytes} bytes.`);
      }
    },
  };
}

/** A limit that is misspelt must not be one that is not there. */
function checkLimits(options: BrokerLimits): void {
  try {
    checkOptions('createBroker: limits', options, rules);
    for (const name of Object.keys(options)) {
      if (!(name in rules)) throw new Error(`createBroker: limits: ${name} is no limit.`);
    }
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message, { code: 'invalid_option' });
  }
}

/** Keeps when the last turns were taken, so that no minute whatever has more than `max` of them. */
async function takeTurn(store: ExactStore, key: string, max: number): Promise<void> {
  // Of those who try at once one wins each round, and after `max` rounds there are no turns left.
  for (let round = 0; round <= max; round++) {
    const value = (await askStore('tell what was counted', () => store.get(key))) ?? undefined;
    const now = Date.now();
    const turns = (value ?? '')
      .split(',')
      .map(Number)
      .filter((turn) => turn > now - minuteMs);
    const [oldest = now] = turns;
    if (turns.length >= max) throw tooSoon(oldest + minuteMs - now);
    const next = [...turns, now].join(',');
    const isTaken = await askStore('count', () => store.compareAndSet(key, value, next, now + minuteMs));
    if (isTaken) return;
  }
  throw tooSoon(1000);
}
