import type { EntryReceipt } from "../hub/answer.js";
import { createBudget } from "./budget.js";
import { type AnsweredRequest, encodeReceipts } from "./responses.js";

/** What may be on its way to one session before it is fed from the log instead (D4). */
const MAX_FRAMES = 256;
const MAX_BYTES = 1024 * 1024;
/** A place that is kept has no size yet. */
const PLACE = 0;
const NO_RECEIPTS: AnsweredRequest[] = [];

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
  pushReceipt(requestId: string, receipt: EntryReceipt): void;
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
  return new CountedOutbox(stream, drained, full);
}

class CountedOutbox implements Outbox {
  readonly #stream: ResponseStream;
  readonly #drained: () => void;
  readonly #full: () => void;
  readonly #budget = createBudget({ maxItems: MAX_FRAMES, maxBytes: MAX_BYTES });
  #receipts: AnsweredRequest[] = NO_RECEIPTS;
  /** There was no room for something. */
  #short = false;

  constructor(stream: ResponseStream, drained: () => void, full: () => void) {
    this.#stream = stream;
    this.#drained = drained;
    this.#full = full;
  }

  push(response: Uint8Array, taken?: () => void): void {
    this.settle();
    this.#send(response, taken);
  }

  pushReceipt(requestId: string, receipt: EntryReceipt): void {
    if (this.#receipts.length === 0) {
      this.#add(PLACE);
      this.#receipts = [];
    }
    this.#receipts.push({ requestId, receipt });
  }

  settle(): void {
    if (this.#receipts.length === 0) return;
    // failpoint: before-receipt
    const response = encodeReceipts(this.#receipts);
    this.#receipts = NO_RECEIPTS;
    this.#budget.remove(PLACE);
    this.#send(response, undefined);
  }

  room(): { items: number; bytes: number } {
    return this.#budget.room();
  }

  fits(sizeBytes: number): boolean {
    const does = this.#budget.fits(sizeBytes);
    if (!does) this.#short = true;
    return does;
  }

  owe(): void {
    this.#add(PLACE);
  }

  paid(): void {
    this.#budget.remove(PLACE);
    this.#noteRoom();
  }

  #send(response: Uint8Array, taken: (() => void) | undefined): void {
    // The transport has copied it: what it calls back is not to keep it a second time.
    const sizeBytes = response.length;
    this.#add(sizeBytes);
    this.#stream.write(response, (error) => {
      this.#budget.remove(sizeBytes);
      // A broken stream has taken nothing, and its close event ends the session.
      if (error) return;
      // failpoint: response-taken
      taken?.();
      this.#noteRoom();
    });
  }

  #add(sizeBytes: number): void {
    this.#budget.add(sizeBytes);
    if (this.#budget.room().items > 0) return;
    this.#short = true;
    this.#full();
  }

  #noteRoom(): void {
    if (!this.#short || !this.#budget.isRelaxed() || this.#budget.room().items === 0) return;
    this.#short = false;
    this.#drained();
  }
}
