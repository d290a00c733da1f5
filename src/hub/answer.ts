import type { Refusal } from "../protocol/refusals.js";
import type { ChatHistoryPage } from "../protocol/wire.js";
import type { Written } from "./context.js";
import type { StoredEntry } from "./entry.js";

/** A page of messages, oldest first, as they are stored: encoded ChatMessages. */
export interface HistoryPage extends Omit<ChatHistoryPage, "messages"> {
  bodies: Uint8Array[];
}

/** What a receipt says of an entry. */
export interface EntryReceipt {
  channelId: string;
  seq: number;
  /** Empty where it is no message. */
  messageId: string;
  storedAtMs: number;
  /** It had been stored before. */
  duplicate: boolean;
}

/** The one answer to a frame (M5). */
export type Answer =
  | { kind: "receipt"; receipt: EntryReceipt }
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
      channelId: entry.channelId,
      seq: entry.seq,
      messageId: entry.kind === "chatMessage" ? entry.key : "",
      storedAtMs: entry.storedAtMs,
      duplicate,
    },
  };
}
