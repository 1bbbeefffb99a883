/** Options of every call that touches the network. */
export interface CallOptions {
  /** Ends the call; it rejects with the signal's reason. */
  signal?: AbortSignal;
  /**
   * How long to wait for the first answer, in milliseconds. Default 60 000; 0 waits for ever. It never limits
   * how long a stream, a transfer or a process may go on after that.
   */
  requestTimeoutMs?: number;
}

/** The limit of `requestTimeoutMs` where none is given, in milliseconds. */
export const defaultRequestTimeoutMs = 60_000;
