import type { EntryFrame, StoredEntry } from "../../src/hub/entry.js";
import {
  ChatAccept,
  ChatEnd,
  ChatMessage,
  ChatReject,
  ChatRequest,
  type ConnectRequest,
  type ConnectResponse,
} from "../../src/protocol/wire.js";

type Frame = NonNullable<ConnectRequest["frame"] | ConnectResponse["frame"]>;

/** What its author says in a frame: in these tests no two frames say the same. */
export function wordsIn(frame: Frame | undefined): string {
  switch (frame?.$case) {
    case "chatRequest":
    case "chatAccept":
    case "chatMessage":
      return frame.value.content;
    case "chatReject":
    case "chatEnd":
      return frame.value.reason;
    default:
      return "";
  }
}

/** The key under which a frame is stored once; "" where it has none. */
export function keyOf(frame: Frame | undefined): string {
  if (frame?.$case === "chatRequest") return frame.value.idempotencyKey;
  return frame?.$case === "chatMessage" ? frame.value.messageId : "";
}

/** The frame of an entry. */
export function frameOf({ kind, body }: StoredEntry): EntryFrame {
  switch (kind) {
    case "chatRequest":
      return { $case: kind, value: ChatRequest.decode(body) };
    case "chatAccept":
      return { $case: kind, value: ChatAccept.decode(body) };
    case "chatReject":
      return { $case: kind, value: ChatReject.decode(body) };
    case "chatMessage":
      return { $case: kind, value: ChatMessage.decode(body) };
    case "chatEnd":
      return { $case: kind, value: ChatEnd.decode(body) };
    default:
      return kind satisfies never;
  }
}
