/**
 * Remembers a little for all instances of a broker: which sessions were ended before their time, how many were begun
 * lately, which invitations were used. Without one a session that was ended works on until its token does (5 minutes by
 * default), and can be refreshed while `authorize` agrees.
 *
 * `createMemoryStore` is one, for a single process; the hosts' entries have others. For one of your own: keys are at
 * most 128 letters, digits, `:` and `-`, values at most 64 KiB. A store that throws, or takes longer than 5 s, makes the
 * broker refuse (500, `broker_misconfigured`).
 */
export interface SessionStore {
  /** The value of a key, or undefined where there is none or its time is over. Asked twice at each request: it has to be quick. */
  get(key: string): Promise<string | undefined> | string | undefined;
  /** @param expiresAt when it is to be forgotten, in milliseconds since 1970. Not before; a little later does no harm. */
  set(key: string, value: string, expiresAt: number): Promise<void> | void;
  /**
   * Sets a value if the key still has the expected one (undefined: if it has none), and tells whether it did. Of several
   * at once exactly one may win. Leave it out where the store cannot promise that: it serves revocation alone then.
   */
  compareAndSet?(
    key: string,
    expected: string | undefined,
    value: string,
    expiresAt: number,
  ): Promise<boolean> | boolean;
}
