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
  replayed: boolean;
  frame: EntryFrame;
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
  return { channelId, seq: Number(seq), kind: KINDS[frame.$case], replayed, frame };
}

function isEntry(frame: ResponseFrame): frame is EntryFrame {
  return Object.hasOwn(KINDS, frame.$case);
}

/** Nothing of the peer's comes after it. */
export function isLast(kind: IncomingKind): boolean {
  return kind === "end" || kind === "reject";
}
