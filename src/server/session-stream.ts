import type { ResponseStream } from "./outbox.js";

/** The part of a gRPC server stream that a session needs. */
export interface SessionStream extends ResponseStream {
  pause(): unknown;
  resume(): unknown;
  /** Ends the call with OK, behind what was written. */
  end(): unknown;
  /** Ends the call with a status instead of OK, behind what was written. */
  emit(event: "error", status: Error): boolean;
  /** Drops what was not taken yet. */
  destroy(): unknown;
}
