import type { ConnectResponse } from "../protocol/wire.js";
import type { IncomingKind } from "./incoming.js";

type ResponseFrame = NonNullable<ConnectResponse["frame"]>;

/** The frames that are entries of a channel. */
export type EntryFrame = Extract<
  ResponseFrame,
  { $case: "chatRequest" | "chatAccept" | "chatReject" | "chatMessage" | "chatEnd" }
>;

/** One entry on its way to this agent. */
export interface Delivery {
  channelId: string;
  seq: number;
  kind: IncomingKind;
  /** What it carries, in bytes: words, data and metadata; a little less than its encoded size. */
  bytes: number;
  replayed: boolean;
  frame: EntryFrame;
  /** The log it is of, an object for each; set by the inbox that takes it in. */
  log?: object;
}

const KINDS: Record<EntryFrame["$case"], IncomingKind> = {
  chatRequest: "request",
  chatAccept: "accept",
  chatReject: "reject",
  chatMessage: "message",
  chatEnd: "end",
};

/** The entry a response delivers; undefined where it is something else. */
export function deliveryOf({ frame, replayed }: ConnectResponse): Delivery | undefined {
  if (frame === undefined || !isEntry(frame)) return undefined;
  const { channelId, seq } = frame.value;
  const kind = KINDS[frame.$case];
  return { channelId, seq: Number(seq), kind, bytes: bytesOf(frame), replayed, frame };
}

function bytesOf(frame: EntryFrame): number {
  switch (frame.$case) {
    case "chatMessage":
      return textBytes(frame.value) + frame.value.data.length;
    case "chatRequest":
    case "chatAccept":
      return textBytes(frame.value);
    case "chatReject":
    case "chatEnd":
      return Buffer.byteLength(frame.value.reason);
    default:
      return frame satisfies never;
  }
}

function textBytes(value: { content: string; metadata: Map<string, string> }): number {
  let bytes = Buffer.byteLength(value.content);
  for (const [key, text] of value.metadata) {
    bytes += Buffer.byteLength(key) + Buffer.byteLength(text);
  }
  return bytes;
}

function isEntry(frame: ResponseFrame): frame is EntryFrame {
  return Object.hasOwn(KINDS, frame.$case);
}

/** Nothing of the peer's comes after it. */
export function isLast(kind: IncomingKind): boolean {
  return kind === "end" || kind === "reject";
}
