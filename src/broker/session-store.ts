/**
 * Remembers which sessions were ended before their time. Without a store a session that was ended works on until its
 * token does (5 minutes by default), and can be refreshed while `authorize` agrees.
 */
export interface SessionStore {
  /**
   * Ends a session.
   * @param until when it may be forgotten: the session's absolute end, in milliseconds since 1970.
   */
  revoke(sessionId: string, until: number): Promise<void> | void;
  /**
   * Asked at each request, so it has to be quick, and every 30 s for what is open. A store that throws makes the broker
   * refuse.
   */
  isRevoked(sessionId: string): Promise<boolean> | boolean;
}

/** A store in the memory of this process: right for one long-lived server, not for Workers or several servers. */
export function createMemoryStore(): SessionStore {
  const revoked = new Map<string, number>();
  return {
    revoke(sessionId, until) {
      const now = Date.now();
      for (const [id, end] of revoked) if (end <= now) revoked.delete(id);
      revoked.set(sessionId, until);
    },
    isRevoked: (sessionId) => (revoked.get(sessionId) ?? 0) > Date.now(),
  };
}
