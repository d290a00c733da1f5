import { ChannelState, RejectCode } from "../protocol/wire.js";
import type { Channel } from "./channel.js";
import type { Context } from "./context.js";
import { rejectByHub } from "./services.js";

/** Rejects a request that nobody answered in time; does nothing where it is not pending (C4). */
export async function expireRequest(context: Context, channelId: string): Promise<void> {
  const channel = await context.tx.channel(channelId);
  if (channel?.state !== ChannelState.CHANNEL_STATE_REQUESTED) return;
  // failpoint: before-expiry
  await rejectByHub(
    context,
    channel,
    RejectCode.REJECT_CODE_EXPIRED,
    "the provider did not answer in time",
  );
}

/**
 * How long a pending request still waits after a restart: what was stored, less
 * the downtime. A clock that was set meanwhile can neither lengthen the wait
 * nor make it negative.
 */
export function remainingMs(channel: Channel, nowMs: number): number {
  const waitedMs = Math.max(0, nowMs - channel.requestedAtMs);
  return Math.max(0, channel.timeoutMs - waitedMs);
}
