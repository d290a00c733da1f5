/** Bounds of one call. */
export interface CallOptions {
  /** Gives the call up: it rejects with ABORTED_BY_CALLER. */
  signal?: AbortSignal;
  /** In milliseconds, instead of the client's. Then it rejects with TIMEOUT. */
  timeoutMs?: number;
}
