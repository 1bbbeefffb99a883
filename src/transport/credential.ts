import type { E2BEdgeError } from '../errors.js';

/** What opens a sandbox: asked for at each request, so that it may change underneath. */
export interface Credential {
  /** The headers to put on a request. May take a moment, when a token is just being fetched. */
  headers(): Promise<Record<string, string>>;
  /**
   * Replaces what was refused. Resolves when another try makes sense; rejects with an `AuthenticationError` when
   * there is nothing better to be had. Absent where the credential cannot change.
   */
  renew?(refused: Record<string, string>, refusal: E2BEdgeError): Promise<void>;
  /**
   * Says that something is under way that uses it: it is kept fresh for as long, and `onEnd` is called should it end for
   * good. Returns what says that it is done. Absent where a credential has no end.
   */
  attach?(onEnd: (error: E2BEdgeError) => void): () => void;
  /** Takes note of an error, which may say that it has ended for good. */
  heed?(error: unknown): void;
}

/** A credential that never changes. */
export function fixedCredential(headers: Record<string, string>): Credential {
  return { headers: async () => headers };
}
