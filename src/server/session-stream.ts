import type { Metadata } from "@grpc/grpc-js";
import type { ResponseStream } from "./outbox.js";

/** A gRPC status that ends a call. */
export interface CallStatus {
  code: number;
  details: string;
  /** Its trailers. */
  metadata?: Metadata;
}

/** The part of a gRPC server stream that a session needs. */
export interface SessionStream extends ResponseStream {
  pause(): unknown;
  resume(): unknown;
  /** Ends the call with OK, behind what was written. */
  end(): unknown;
  /** Ends the call with a status instead of OK, behind what was written. */
  endWith(status: CallStatus): unknown;
  /** Drops what was not taken yet. */
  destroy(): unknown;
}
