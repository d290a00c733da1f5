import type { Receipt } from "../protocol/wire.js";
import { createBudget } from "./budget.js";
import { encodeReceipts } from "./responses.js";

/** What may be on its way to one session before it is fed from the log instead (D4). */
const MAX_FRAMES = 256;
const MAX_BYTES = 1024 * 1024;
/** A place that is kept has no size yet. */
const PLACE = 0;

/** The part of a gRPC server stream that an outbox needs. */
export interface ResponseStream {
  /** Takes an encoded response; taken is called when the transport has its bytes. */
  write(bytes: Uint8Array, taken: (error?: Error | null) => void): unknown;
}

/** The responses of one session on their way out, in order. */
export interface Outbox {
  /** Sends an encoded response; taken is called when the transport has its bytes. */
  push(bytes: Uint8Array, taken?: () => void): void;
  /** Sends a receipt; those that follow each other go out as one response. */
  pushReceipt(receipt: Receipt): void;
  /** Sends the receipts collected so far: a transaction has been told to its end. */
  settle(): void;
  /** Frames and bytes that may still be on their way; a full outbox has none of either. */
  room(): { items: number; bytes: number };
  /** Whether a response of this size may be pushed; where not, `drained` follows. */
  fits(sizeBytes: number): boolean;
  /** Keeps the place of an answer that is to come, so that deliveries do not take it. */
  owe(): void;
  /** The answer is about to be pushed, or there is none: its place is free. */
  paid(): void;
}

/**
 * grpc-js queues whatever it is given, without bound. So what has been given to it and not yet
 * taken by the transport is counted here, and whoever fills the outbox asks for room first.
 * @param drained called when half of it is free again after there was no room
 * @param full called when there is no room any more
 */
export function createOutbox(
  stream: ResponseStream,
  drained: () => void,
  full: () => void = () => {},
): Outbox {
  const budget = createBudget({ maxItems: MAX_FRAMES, maxBytes: MAX_BYTES });
  let receipts: Receipt[] = [];
  /** There was no room for something. */
  let short = false;

  function send(response: Uint8Array, taken: (() => void) | undefined): void {
    // The transport has copied it: what it calls back is not to keep it a second time.
    const sizeBytes = response.length;
    add(sizeBytes);
    stream.write(response, (error) => {
      budget.remove(sizeBytes);
      // A broken stream has taken nothing, and its close event ends the session.
      if (error) return;
      // failpoint: response-taken
      taken?.();
      noteRoom();
    });
  }

  function add(sizeBytes: number): void {
    budget.add(sizeBytes);
    if (budget.room().items > 0) return;
    short = true;
    full();
  }

  function noteRoom(): void {
    if (!short || !budget.isRelaxed() || budget.room().items === 0) return;
    short = false;
    drained();
  }

  function settle(): void {
    if (receipts.length === 0) return;
    // failpoint: before-receipt
    const response = encodeReceipts(receipts);
    receipts = [];
    budget.remove(PLACE);
    send(response, undefined);
  }

  return {
    push(response, taken) {
      settle();
      send(response, taken);
    },
    pushReceipt(receipt) {
      if (receipts.length === 0) add(PLACE);
      receipts.push(receipt);
    },
    settle,
    room: () => budget.room(),
    fits(sizeBytes) {
      const does = budget.fits(sizeBytes);
      if (!does) short = true;
      return does;
    },
    owe: () => add(PLACE),
    paid() {
      budget.remove(PLACE);
      noteRoom();
    },
  };
}
