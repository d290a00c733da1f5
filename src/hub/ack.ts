import { type Refusal, refuse } from "../protocol/refusals.js";
import type { ChannelPosition } from "../protocol/wire.js";
import { advance } from "./apply.js";
import { roleOf } from "./channel.js";
import type { Context } from "./context.js";
import { denyChannel } from "./deny.js";

/**
 * Whether an agent may move its positions there (D2).
 * @returns the refusal, or undefined where every one of them can be moved
 */
export async function checkPositions(
  context: Context,
  agentId: string,
  acks: ChannelPosition[],
): Promise<Refusal | undefined> {
  for (const { channelId, seq } of acks) {
    const channel = await context.tx.channel(channelId);
    if (channel === undefined || roleOf(channel, agentId) === undefined) {
      return denyChannel(context, agentId, channelId, channel);
    }
    if (seq > BigInt(channel.lastSeq)) {
      return refuse(
        "POSITION_AHEAD",
        `acks: ${JSON.stringify(channelId)} ends at seq ${channel.lastSeq}; ack what was delivered`,
      );
    }
  }
  return undefined;
}

/** Channels that positions are about and the agent has not got, or not any more: pruning removes them. */
export async function channelsNotFound(
  { tx }: Context,
  agentId: string,
  acks: ChannelPosition[],
): Promise<string[]> {
  const missing: string[] = [];
  for (const { channelId } of acks) {
    const channel = await tx.channel(channelId);
    if (channel === undefined || roleOf(channel, agentId) === undefined) missing.push(channelId);
  }
  return missing;
}

/** Moves positions that `checkPositions` has found in order. */
export async function movePositions(
  { tx, moved }: Context,
  agentId: string,
  acks: ChannelPosition[],
): Promise<void> {
  for (const { channelId, seq } of acks) {
    const channel = await tx.channel(channelId);
    const role = channel && roleOf(channel, agentId);
    if (channel === undefined || role === undefined) throw new Error("an ack that was not checked");
    const progress = advance(channel[role], Number(seq), channel.lastSeq);
    if (progress === channel[role]) continue;
    const after = { ...channel, [role]: progress };
    await tx.putChannel(after);
    moved.push({ channel: after, agentId, position: progress.position });
    // failpoint: before-ack-commit
  }
}

/** Moves those positions that can be moved: of others, a channel may have been pruned meanwhile. */
export async function moveWhereAllowed(
  context: Context,
  agentId: string,
  acks: ChannelPosition[],
): Promise<void> {
  for (const ack of acks) {
    const refusal = await checkPositions(context, agentId, [ack]);
    if (refusal === undefined) await movePositions(context, agentId, [ack]);
  }
}
