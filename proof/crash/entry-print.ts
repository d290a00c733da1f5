import { hash } from "node:crypto";
import type { ConnectRequest, ConnectResponse } from "claw-chat-hub/protocol";

type Frame = NonNullable<ConnectRequest["frame"] | ConnectResponse["frame"]>;
/** The frames that become entries of a channel. */
export type EntryFrame = Extract<
  Frame,
  { $case: "chatRequest" | "chatAccept" | "chatReject" | "chatMessage" | "chatEnd" }
>;

/** The frame, where it is one that becomes an entry. */
export function entryFrameOf(
  frame: ConnectRequest["frame"] | ConnectResponse["frame"],
): EntryFrame | undefined {
  switch (frame?.$case) {
    case "chatRequest":
    case "chatAccept":
    case "chatReject":
    case "chatMessage":
    case "chatEnd":
      return frame;
    default:
      return undefined;
  }
}

/** What names an entry of one author and kind: its key, or its channel where it has none. */
export function keyOf(frame: EntryFrame): string {
  switch (frame.$case) {
    case "chatMessage":
      return frame.value.messageId;
    case "chatRequest":
      return frame.value.idempotencyKey;
    default:
      return frame.value.channelId;
  }
}

/** Who says it, as the frame has it. */
export function speakerOf(frame: EntryFrame): string {
  switch (frame.$case) {
    case "chatMessage":
      return frame.value.senderId;
    case "chatRequest":
      return frame.value.consumerId;
    case "chatEnd":
      return frame.value.endedBy;
    default:
      return frame.value.providerId;
  }
}

/** Sixteen characters that stand for all the author said and the hub has to keep as it was. */
export function printOf(frame: EntryFrame): string {
  return hash("sha1", JSON.stringify(saidIn(frame)), "base64url").slice(0, 16);
}

function saidIn(frame: EntryFrame): unknown[] {
  switch (frame.$case) {
    case "chatMessage": {
      const { content, data, contentType, replyTo, metadata, targetAgent, serviceId } = frame.value;
      const bytes = Buffer.from(data).toString("base64");
      return [content, bytes, contentType, replyTo, pairs(metadata), targetAgent, serviceId];
    }
    case "chatRequest":
    case "chatAccept":
      return [frame.value.content, pairs(frame.value.metadata)];
    case "chatReject":
    case "chatEnd":
      return [frame.value.reason, frame.value.code];
    default:
      return frame satisfies never;
  }
}

function pairs(metadata: Map<string, string>): [string, string][] {
  return [...metadata].sort(([one], [other]) => (one < other ? -1 : 1));
}
