import { MAX_RESPONSE_BYTES, pageSize } from "../protocol/limits.js";
import { type Refusal, refuse } from "../protocol/refusals.js";
import type { ChatHistory } from "../protocol/wire.js";
import { type Answer, refused } from "./answer.js";
import { noteAdmin } from "./audit.js";
import { type Channel, roleOf } from "./channel.js";
import type { Context } from "./context.js";
import type { Caller } from "./credentials.js";
import { denyChannel } from "./deny.js";
import { channelView } from "./views.js";
import { visible } from "./visible-service.js";

/** Room in a page for the channel itself and the framing of 1000 messages. */
const PAGE_OVERHEAD_BYTES = 128 * 1024;

/** A member, or an admin, reads a page of messages (C6, C7, M3). */
export async function readHistory(
  context: Context,
  caller: Caller,
  asked: ChatHistory,
): Promise<Answer> {
  const { tx, env } = context;
  const found = await findChannel(context, caller, asked);
  if ("refusal" in found) return refused(found.refusal);
  const { channel } = found;
  if (roleOf(channel, caller.agentId) === undefined) {
    await noteAdmin(context, caller, "admin_read", { channelId: channel.channelId });
  }
  const { entries, hasMore } = await tx.entries({
    channelId: channel.channelId,
    kind: "chatMessage",
    afterSeq: seqOf(asked.afterSeq),
    beforeSeq: seqOf(asked.beforeSeq),
    newest: asked.afterSeq === 0n,
    limit: pageSize(asked.limit),
    maxBytes: MAX_RESPONSE_BYTES - PAGE_OVERHEAD_BYTES,
  });
  const bodies = entries.map(({ body }) => body);
  return {
    kind: "page",
    page: { channel: channelView(channel, caller, env.isOnline), bodies, hasMore },
  };
}

async function findChannel(
  context: Context,
  { agentId, role }: Caller,
  asked: ChatHistory,
): Promise<{ channel: Channel } | { refusal: Refusal }> {
  const { tx } = context;
  if (asked.channelId !== "") {
    const channel = await tx.channel(asked.channelId);
    if (channel !== undefined && (roleOf(channel, agentId) !== undefined || role === "admin")) {
      return { channel };
    }
    return { refusal: denyChannel(context, agentId, asked.channelId, channel) };
  }
  const service = visible(await tx.service(asked.serviceId), agentId);
  const channel = await tx.newestChannel({
    agentId,
    serviceId: asked.serviceId,
    providerId: service?.providerId,
  });
  if (channel !== undefined) return { channel };
  return { refusal: refuse("CHANNEL_NOT_FOUND", "you have no chat about this service") };
}

/** A seq as asked for; absent where it is 0, and never beyond what a number holds exactly. */
function seqOf(seq: bigint): number | undefined {
  if (seq === 0n) return undefined;
  return seq > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(seq);
}
