import { encode } from "../protocol/encode.js";
import { completeMessage, type SentMessage } from "../protocol/sent-message.js";
import {
  ChatAccept,
  ChatEnd,
  ChatReject,
  ChatRequest,
  type ConnectResponse,
} from "../protocol/wire.js";

/** The frames that are entries of a channel's log. */
export type EntryFrame = Extract<
  NonNullable<ConnectResponse["frame"]>,
  { $case: "chatRequest" | "chatAccept" | "chatReject" | "chatMessage" | "chatEnd" }
>;
export type EntryKind = EntryFrame["$case"];

/** The same before they are encoded; a message is by its sender. */
export type NewFrame =
  | Exclude<EntryFrame, { $case: "chatMessage" }>
  | { $case: "chatMessage"; value: SentMessage };

/**
 * The author of entries the hub itself writes (expiry, automatic accept): no
 * agent can have this id, and both members receive them (C8).
 */
export const HUB_AUTHOR = "";

/** What every entry has beside its frame. */
interface EntryHead {
  channelId: string;
  seq: number;
  kind: EntryKind;
  /** The agent that wrote it, or HUB_AUTHOR. It is not delivered to its author (M6). */
  author: string;
  /** message_id or idempotency_key; empty for the other kinds. Unique per author and kind (M2, C2). */
  key: string;
  /** The author named the channel_id itself: part of what "the same message" means (M2). */
  addressedByChannel: boolean;
  storedAtMs: number;
}

/** An entry as it changes its channel, whether or not it is encoded yet. */
export interface DecidedEntry extends EntryHead {
  frame: EntryFrame | NewFrame;
}

/** An entry about to be stored, decided but not yet encoded. */
export interface NewEntry extends EntryHead {
  frame: NewFrame;
}

/** An entry as stored and delivered: its frame is encoded once, and those bytes are what everyone gets. */
export interface StoredEntry extends EntryHead {
  /** The encoded frame (a ChatMessage, ChatRequest, …) with the hub's fields set. */
  body: Uint8Array;
}

/** Encodes an entry's frame: the only place where that happens. */
export function encodeEntry(entry: NewEntry): StoredEntry {
  const { channelId, seq, kind, author, key, addressedByChannel, storedAtMs } = entry;
  const body = encodeFrame(entry);
  return { channelId, seq, kind, author, key, addressedByChannel, storedAtMs, body };
}

function encodeFrame(entry: NewEntry): Uint8Array {
  const { frame } = entry;
  switch (frame.$case) {
    case "chatRequest":
      return encode(ChatRequest, frame.value);
    case "chatAccept":
      return encode(ChatAccept, frame.value);
    case "chatReject":
      return encode(ChatReject, frame.value);
    case "chatMessage":
      return completeMessage(frame.value, {
        messageId: entry.key,
        channelId: entry.channelId,
        senderId: entry.author,
        seq: entry.seq,
        storedAtMs: entry.storedAtMs,
      });
    case "chatEnd":
      return encode(ChatEnd, frame.value);
    default:
      return frame satisfies never;
  }
}
