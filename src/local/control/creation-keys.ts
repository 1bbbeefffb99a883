import { createHash } from 'node:crypto';
import { ApiError } from '../http/replies.js';

interface Creation<T> {
  /** Of what was asked for, which may be long. */
  readonly digest: string;
  /** Under way, or done. */
  readonly answer: Promise<T>;
  readonly until: number;
}

const keepMs = 24 * 60 * 60 * 1000;
const maxKeys = 10_000;

/**
 * Creations by the `Idempotency-Key` of their requests: who asks with the same key again is given what the first request
 * is given. As upstream, that holds for a while after what was made has ended, so that a copy of a request that was
 * on its way for long makes nothing. Unlike there, a creation that fails frees its key.
 */
export class CreationKeys<T> {
  readonly #creations = new Map<string, Creation<T>>();

  /**
   * What the key made, or makes; without a key, something new. Throws 400 for a key that is none, and 409 for one of
   * another request.
   */
  answer(
    key: string | readonly string[] | undefined,
    request: unknown,
    create: () => Promise<T>,
  ): Promise<T> {
    if (key === undefined) return create();
    if (typeof key !== 'string' || !/^[a-z0-9-]{1,255}$/.test(key)) {
      throw new ApiError(400, 'Idempotency-Key must be 1 to 255 lowercase letters, digits and hyphens');
    }
    const digest = digestOf(request);
    const earlier = this.#creations.get(key);
    if (earlier && earlier.until > Date.now()) {
      if (earlier.digest === digest) return earlier.answer;
      throw new ApiError(
        409,
        'Idempotency-Key was used with another request before',
        'idempotency_request_mismatch',
      );
    }
    this.#makeRoom();
    const answer = create();
    this.#creations.set(key, { digest, answer, until: Date.now() + keepMs });
    answer.catch(() => this.#creations.delete(key));
    return answer;
  }

  /** The oldest are the first. */
  #makeRoom(): void {
    for (const [key, { until }] of this.#creations) {
      if (until > Date.now() && this.#creations.size < maxKeys) return;
      this.#creations.delete(key);
    }
  }
}

/** The same for the same values, in whatever order an object has them. */
function digestOf(value: unknown): string {
  const json = JSON.stringify(value, (_name, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort())
      : part,
  );
  return createHash('sha256').update(json).digest('hex');
}
