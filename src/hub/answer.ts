import type { Refusal } from "../protocol/refusals.js";
import { timestampOf } from "../protocol/time.js";
import type { ChatHistoryPage, Receipt } from "../protocol/wire.js";
import type { Written } from "./context.js";
import type { StoredEntry } from "./entry.js";

/** A page of messages, oldest first, as they are stored: encoded ChatMessages. */
export interface HistoryPage extends Omit<ChatHistoryPage, "messages"> {
  bodies: Uint8Array[];
}

/** The one answer to a frame (M5). A receipt's request_id is filled in by the session. */
export type Answer =
  | { kind: "receipt"; receipt: Receipt }
  | { kind: "page"; page: HistoryPage }
  | { kind: "refusal"; refusal: Refusal };

/** The answer that nothing was done. */
export function refused(refusal: Refusal): Answer {
  return { kind: "refusal", refusal };
}

/** The answer for an entry that the transaction has just written. */
export function receiptFor(written: Written | undefined): Answer {
  if (written === undefined) throw new Error("a receipt for nothing written");
  return receiptOf(written.entry, false);
}

/** The first receipt of an entry, given again (M2, C2, C3, C6). */
export function repeatedReceipt(entry: StoredEntry | undefined): Answer {
  if (entry === undefined) throw new Error("a repeat of an entry that is not in the log");
  return receiptOf(entry, true);
}

function receiptOf(entry: StoredEntry, duplicate: boolean): Answer {
  return {
    kind: "receipt",
    receipt: {
      requestId: "",
      channelId: entry.channelId,
      seq: BigInt(entry.seq),
      messageId: entry.kind === "chatMessage" ? entry.key : "",
      timestamp: timestampOf(entry.storedAtMs),
      duplicate,
    },
  };
}
