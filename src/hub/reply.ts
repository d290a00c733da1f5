import { refuse } from "../protocol/refusals.js";
import type { ChatAccept, ChatReject } from "../protocol/wire.js";
import { type Answer, receiptFor, refused, repeatedReceipt } from "./answer.js";
import { type Channel, roleOf } from "./channel.js";
import type { Context } from "./context.js";
import { decideAnswer } from "./decide.js";
import { denyChannel } from "./deny.js";
import { write } from "./write.js";

type ReplyFrame =
  | { $case: "chatAccept"; value: ChatAccept }
  | { $case: "chatReject"; value: ChatReject };

/** A provider accepts or rejects a request (C3). */
export async function replyToRequest(
  context: Context,
  agentId: string,
  frame: ReplyFrame,
): Promise<Answer> {
  const found = await findRequest(context, agentId, frame.value);
  if ("kind" in found) return found;
  const decision = decideAnswer(
    found.channel,
    agentId,
    frame.$case === "chatAccept" ? "accept" : "reject",
  );
  if ("refusal" in decision) return refused(decision.refusal);
  if ("repeat" in decision) {
    return repeatedReceipt(await context.tx.entry(found.channel.channelId, decision.repeat));
  }
  await write(context, found.channel, { author: agentId, frame });
  return receiptFor(context.written.at(-1));
}

/** The request meant: by channel, or the consumer's one pending request (C3). */
async function findRequest(
  context: Context,
  agentId: string,
  address: { channelId: string; consumerId: string; serviceId: string },
): Promise<{ channel: Channel } | Answer> {
  const { tx } = context;
  const { channelId, consumerId, serviceId } = address;
  if (channelId !== "") {
    const channel = await tx.channel(channelId);
    if (channel === undefined || roleOf(channel, agentId) === undefined) {
      return refused(denyChannel(context, agentId, channelId, channel));
    }
    const agrees =
      (consumerId === "" || consumerId === channel.consumerId) &&
      (serviceId === "" || serviceId === channel.serviceId);
    if (agrees) return { channel };
    return refused(
      refuse("ADDRESS_CONFLICT", "channel_id is another consumer's or service's; leave those out"),
    );
  }
  const [pending, another] = await tx.pendingRequests({
    providerId: agentId,
    consumerId,
    serviceId,
    limit: 2,
  });
  if (another !== undefined) {
    return refused(
      refuse("AMBIGUOUS", "this consumer has several pending requests; name the channel_id"),
    );
  }
  const channel =
    pending ?? (await tx.newestAnswered({ providerId: agentId, consumerId, serviceId }));
  if (channel !== undefined) return { channel };
  return refused(refuse("CHANNEL_NOT_FOUND", "this consumer has asked you for no chat"));
}
