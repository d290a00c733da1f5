import type { Receipt } from "../protocol/wire.js";
import { encodeReceipts } from "./responses.js";

/** What an outbox may hold before its session is fed from the log instead (D4). */
const MAX_FRAMES = 256;
const MAX_BYTES = 1024 * 1024;

/** The part of a gRPC server stream that an outbox needs. */
export interface ResponseStream {
  /** Takes an encoded response; false means: no more before "drain". */
  write(bytes: Uint8Array, taken: (error?: Error | null) => void): boolean;
  once(event: "drain", listener: () => void): unknown;
}

/** The responses of one session on their way out, in order. */
export interface Outbox {
  /** Queues an encoded response; taken is called when the transport has its bytes. */
  push(bytes: Uint8Array, taken?: () => void): void;
  /** Queues a receipt; those that follow each other go out as one response. */
  pushReceipt(receipt: Receipt): void;
  /** Sends the receipts collected so far: a transaction has been told to its end. */
  settle(): void;
  /** Frames and bytes that may still be queued; a full outbox has none of one of them. */
  room(): { frames: number; bytes: number };
  /** Calls back once, when everything queued so far was given to the transport. */
  whenEmpty(callback: () => void): void;
}

/**
 * grpc-js queues without bound once `write` has returned false, so the queue is
 * kept here, where it can be counted.
 * @param drained called whenever there is room again
 */
export function createOutbox(stream: ResponseStream, drained: () => void): Outbox {
  const queue: { bytes: Uint8Array; taken: (() => void) | undefined }[] = [];
  let queuedBytes = 0;
  let writable = true;
  let receipts: Receipt[] = [];
  let emptyCallbacks: (() => void)[] = [];

  function flush(): void {
    let sent = 0;
    while (writable && sent < queue.length) {
      const item = queue[sent];
      if (item === undefined) break;
      sent += 1;
      queuedBytes -= item.bytes.length;
      const { taken } = item;
      writable = stream.write(item.bytes, (error) => {
        if (!error) taken?.();
      });
      if (!writable) stream.once("drain", onDrain);
    }
    if (sent > 0) queue.splice(0, sent);
    if (queue.length === 0 && emptyCallbacks.length > 0) {
      const callbacks = emptyCallbacks;
      emptyCallbacks = [];
      for (const callback of callbacks) callback();
    }
  }

  function onDrain(): void {
    writable = true;
    flush();
    if (writable) drained();
  }

  function enqueue(bytes: Uint8Array, taken: (() => void) | undefined): void {
    queue.push({ bytes, taken });
    queuedBytes += bytes.length;
    flush();
  }

  function settle(): void {
    if (receipts.length === 0) return;
    const bytes = encodeReceipts(receipts);
    receipts = [];
    enqueue(bytes, undefined);
  }

  return {
    push(bytes, taken) {
      settle();
      enqueue(bytes, taken);
    },
    pushReceipt(receipt) {
      receipts.push(receipt);
    },
    settle,
    room() {
      return {
        frames: Math.max(0, MAX_FRAMES - queue.length),
        bytes: Math.max(0, MAX_BYTES - queuedBytes),
      };
    },
    whenEmpty(callback) {
      settle();
      emptyCallbacks.push(callback);
      flush();
    },
  };
}
