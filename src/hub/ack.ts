import { type Refusal, refuse } from "../protocol/refusals.js";
import type { ChannelPosition } from "../protocol/wire.js";
import { advance } from "./apply.js";
import { type Channel, roleOf } from "./channel.js";
import type { Context } from "./context.js";
import { channelNotFound } from "./common-refusals.js";

/**
 * Moves an agent's positions (D2). All of them or, when one is refused, none.
 * @returns the refusal, or undefined when they have moved
 */
export async function movePositions(
  { tx }: Context,
  agentId: string,
  acks: ChannelPosition[],
): Promise<Refusal | undefined> {
  const moved: Channel[] = [];
  for (const { channelId, seq } of acks) {
    const channel = await tx.channel(channelId);
    const role = channel && roleOf(channel, agentId);
    if (channel === undefined || role === undefined) return channelNotFound(channelId);
    if (seq > BigInt(channel.lastSeq)) {
      return refuse(
        "POSITION_AHEAD",
        `acks: ${JSON.stringify(channelId)} ends at seq ${channel.lastSeq}; ack what was delivered`,
      );
    }
    const progress = advance(channel[role], Number(seq), channel.lastSeq);
    if (progress !== channel[role]) moved.push({ ...channel, [role]: progress });
  }
  for (const channel of moved) await tx.putChannel(channel);
  return undefined;
}
