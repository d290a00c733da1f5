import { MAX_RESPONSE_BYTES, pageSize } from "../protocol/limits.js";
import { refuse } from "../protocol/refusals.js";
import { type ChatHistory, type ChatHistoryPage, ChatMessage } from "../protocol/wire.js";
import { type Answer, refused } from "./answer.js";
import { type Channel, roleOf } from "./channel.js";
import { channelNotFound } from "./common-refusals.js";
import type { Context } from "./context.js";
import { channelView } from "./views.js";

/** Room in a page for the channel itself and the framing of 1000 messages. */
const PAGE_OVERHEAD_BYTES = 128 * 1024;

/** A member reads a page of messages (C6, C7, M3). */
export async function readHistory(
  context: Context,
  agentId: string,
  asked: ChatHistory,
): Promise<Answer> {
  const { tx, env } = context;
  const channel = await findChannel(context, agentId, asked);
  if (channel === undefined) {
    return refused(
      asked.channelId === ""
        ? refuse("CHANNEL_NOT_FOUND", "you have no chat about this service")
        : channelNotFound(asked.channelId),
    );
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
  const page: ChatHistoryPage = {
    channel: channelView(channel, agentId, env.isOnline),
    messages: entries.map((entry) => ChatMessage.decode(entry.body)),
    hasMore,
  };
  return { kind: "page", page };
}

async function findChannel(
  { tx }: Context,
  agentId: string,
  asked: ChatHistory,
): Promise<Channel | undefined> {
  if (asked.channelId !== "") {
    const channel = await tx.channel(asked.channelId);
    return channel !== undefined && roleOf(channel, agentId) !== undefined ? channel : undefined;
  }
  const service = await tx.service(asked.serviceId);
  return tx.newestChannel({
    agentId,
    serviceId: asked.serviceId,
    providerId: service?.providerId,
  });
}

/** A seq as asked for; absent where it is 0, and never beyond what a number holds exactly. */
function seqOf(seq: bigint): number | undefined {
  if (seq === 0n) return undefined;
  return seq > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(seq);
}
