import type { Receipt } from "../protocol/wire.js";
import { encodeReceipts } from "./responses.js";

/** What may be on its way to one session before it is fed from the log instead (D4). */
const MAX_FRAMES = 256;
const MAX_BYTES = 1024 * 1024;

/** The part of a gRPC server stream that an outbox needs. */
export interface ResponseStream {
  /** Takes an encoded response; taken is called when the transport has its bytes. */
  write(bytes: Uint8Array, taken: (error?: Error | null) => void): boolean;
}

/** The responses of one session on their way out, in order. */
export interface Outbox {
  /** Sends an encoded response; taken is called when the transport has its bytes. */
  push(bytes: Uint8Array, taken?: () => void): void;
  /** Sends a receipt; those that follow each other go out as one response. */
  pushReceipt(receipt: Receipt): void;
  /** Sends the receipts collected so far: a transaction has been told to its end. */
  settle(): void;
  /** Frames and bytes that may still be on their way; a full outbox has none of one of them. */
  room(): { frames: number; bytes: number };
}

/**
 * grpc-js queues whatever it is given, without bound. So what has been given to it and not yet
 * taken by the transport is counted here, and whoever fills the outbox asks for room first.
 * @param drained called when there is room again after there was none
 */
export function createOutbox(stream: ResponseStream, drained: () => void): Outbox {
  let frames = 0;
  let bytes = 0;
  let receipts: Receipt[] = [];

  function isFull(): boolean {
    return frames >= MAX_FRAMES || bytes >= MAX_BYTES;
  }

  function send(response: Uint8Array, taken: (() => void) | undefined): void {
    frames += 1;
    bytes += response.length;
    stream.write(response, (error) => {
      const wasFull = isFull();
      frames -= 1;
      bytes -= response.length;
      // A broken stream has taken nothing, and its close event ends the session.
      if (error) return;
      taken?.();
      if (wasFull && !isFull()) drained();
    });
  }

  function settle(): void {
    if (receipts.length === 0) return;
    const response = encodeReceipts(receipts);
    receipts = [];
    send(response, undefined);
  }

  return {
    push(response, taken) {
      settle();
      send(response, taken);
    },
    pushReceipt(receipt) {
      receipts.push(receipt);
    },
    settle,
    room: () => ({
      frames: Math.max(0, MAX_FRAMES - frames),
      bytes: Math.max(0, MAX_BYTES - bytes),
    }),
  };
}
