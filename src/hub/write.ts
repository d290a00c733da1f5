import { timestampOf } from "../protocol/time.js";
import { apply } from "./apply.js";
import type { Channel } from "./channel.js";
import type { Context } from "./context.js";
import { encodeEntry, HUB_AUTHOR, type NewEntry, type NewFrame } from "./entry.js";

/** An entry without what the log decides: its place and its time. */
export interface Draft {
  /** The agent that wrote it, or HUB_AUTHOR. */
  author: string;
  frame: NewFrame;
  /** See EntryHead. */
  key?: string;
  addressedByChannel?: boolean;
}

/**
 * Appends an entry to a channel within the transaction: gives it the next seq,
 * fills the fields that the hub sets, encodes it once, and stores the channel
 * as it is afterwards (M3). Both are the last of `context.written`.
 * @returns when they are in the transaction
 */
export function write(context: Context, channel: Channel, draft: Draft): Promise<void> {
  const seq = channel.lastSeq + 1;
  const storedAtMs = context.env.nowMs();
  const entry: NewEntry = {
    channelId: channel.channelId,
    seq,
    kind: draft.frame.$case,
    author: draft.author,
    key: draft.key ?? "",
    addressedByChannel: draft.addressedByChannel ?? false,
    storedAtMs,
    frame: stamp(draft.frame, channel, seq, storedAtMs, draft.author),
  };
  const after = apply(channel, entry);
  const stored = encodeEntry(entry);
  context.written.push({ entry: stored, channel: after });
  return context.tx.append([stored], after);
}

/** The frame with the fields that the hub sets (I1, I5). */
function stamp(
  frame: NewFrame,
  channel: Channel,
  seqNumber: number,
  storedAtMs: number,
  author: string,
): NewFrame {
  // Its fields are written behind those of the sender.
  if (frame.$case === "chatMessage") return frame;
  const { channelId, providerId, serviceId } = channel;
  const common = { channelId, seq: BigInt(seqNumber), timestamp: timestampOf(storedAtMs) };
  switch (frame.$case) {
    case "chatRequest":
      return {
        $case: frame.$case,
        value: { ...frame.value, ...common, consumerId: author, providerId, serviceId },
      };
    case "chatAccept":
    case "chatReject": {
      const names = { consumerId: channel.consumerId, providerId, serviceId };
      return frame.$case === "chatAccept"
        ? { $case: frame.$case, value: { ...frame.value, ...common, ...names } }
        : { $case: frame.$case, value: { ...frame.value, ...common, ...names } };
    }
    case "chatEnd":
      return {
        $case: frame.$case,
        value: { ...frame.value, ...common, endedBy: author === HUB_AUTHOR ? "" : author },
      };
    default:
      return frame satisfies never;
  }
}
