import { durationMsOf } from "../protocol/time.js";
import { ChannelState, type EndCode, type RejectCode } from "../protocol/wire.js";
import type { Channel, MemberProgress } from "./channel.js";
import type { DecidedEntry } from "./entry.js";

/**
 * The channel after an entry. Pure: the state of a channel is what its entries
 * make of it, in seq order, and nothing else changes it but positions.
 */
export function apply(channel: Channel, entry: DecidedEntry): Channel {
  const next: { -readonly [Field in keyof Channel]: Channel[Field] } = {
    ...channel,
    lastSeq: entry.seq,
    provider: progressAfter(channel.provider, entry, channel.providerId),
    consumer: progressAfter(channel.consumer, entry, channel.consumerId),
  };
  const { frame } = entry;
  switch (frame.$case) {
    case "chatRequest":
      next.consumerId = frame.value.consumerId;
      next.consumer = progressAfter(channel.consumer, entry, frame.value.consumerId);
      next.state = ChannelState.CHANNEL_STATE_REQUESTED;
      next.requestedAtMs = entry.storedAtMs;
      next.timeoutMs = durationMsOf(frame.value.timeout) ?? 0;
      return next;
    case "chatAccept":
      next.state = ChannelState.CHANNEL_STATE_ACTIVE;
      next.answerSeq = entry.seq;
      return next;
    case "chatReject":
      next.answerSeq = entry.seq;
      return close(next, ChannelState.CHANNEL_STATE_REJECTED, entry, frame.value);
    case "chatMessage":
      return next;
    case "chatEnd":
      next.endSeq = entry.seq;
      return close(next, ChannelState.CHANNEL_STATE_ENDED, entry, frame.value);
    default:
      return frame satisfies never;
  }
}

function close(
  channel: Channel,
  state: ChannelState,
  entry: DecidedEntry,
  said: { reason: string; code: RejectCode | EndCode },
): Channel {
  const rejected = state === ChannelState.CHANNEL_STATE_REJECTED;
  return {
    ...channel,
    state,
    closedAtMs: entry.storedAtMs,
    reason: said.reason,
    rejectCode: rejected ? (said.code as RejectCode) : 0,
    endCode: rejected ? 0 : (said.code as EndCode),
  };
}

/** Own entries count as handled as soon as nothing before them is left to read (M6). */
function progressAfter(
  progress: MemberProgress,
  entry: DecidedEntry,
  member: string,
): MemberProgress {
  if (entry.author !== member) return { ...progress, due: entry.seq };
  return progress.position >= progress.due ? { ...progress, position: entry.seq } : progress;
}

/**
 * A member's progress after an ack, which may not lie beyond the log's end
 * (D2). Acks are cumulative: a smaller one than before changes nothing.
 */
export function advance(
  progress: MemberProgress,
  ackedSeq: number,
  lastSeq: number,
): MemberProgress {
  if (ackedSeq <= progress.position) return progress;
  return { ...progress, position: ackedSeq >= progress.due ? lastSeq : ackedSeq };
}
