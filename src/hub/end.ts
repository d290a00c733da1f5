import { ChatEnd, EndCode } from "../protocol/wire.js";
import { type Answer, receiptFor, refused, repeatedReceipt } from "./answer.js";
import { noteAdmin } from "./audit.js";
import { roleOf } from "./channel.js";
import type { Context } from "./context.js";
import type { Caller } from "./credentials.js";
import { decideEnd, decideEndByAdmin } from "./decide.js";
import { denyChannel } from "./deny.js";
import { HUB_AUTHOR } from "./entry.js";
import { type Draft, write } from "./write.js";

/** A member ends a chat, the consumer takes its request back (C4, C6), or an admin ends it (C7). */
export async function endChat(context: Context, caller: Caller, frame: ChatEnd): Promise<Answer> {
  const { tx } = context;
  const { agentId } = caller;
  const channel = await tx.channel(frame.channelId);
  const isMember = channel !== undefined && roleOf(channel, agentId) !== undefined;
  if (channel === undefined || !(isMember || caller.role === "admin")) {
    return refused(denyChannel(context, agentId, frame.channelId, channel));
  }
  const decision = isMember ? decideEnd(channel, agentId) : decideEndByAdmin(channel);
  if ("refusal" in decision) return refused(decision.refusal);
  if ("repeat" in decision) {
    return repeatedReceipt(await tx.entry(channel.channelId, decision.repeat));
  }
  if (!isMember) await noteAdmin(context, caller, "admin_end", { channelId: channel.channelId });
  const draft: Draft = isMember
    ? { author: agentId, frame: { $case: "chatEnd", value: frame } }
    : { author: HUB_AUTHOR, frame: { $case: "chatEnd", value: endedByHub(frame) } };
  await write(context, channel, draft);
  return receiptFor(context.written.at(-1));
}

/** The members are told the admin's reason, and not who it was. */
function endedByHub({ channelId, reason }: ChatEnd): ChatEnd {
  return ChatEnd.fromPartial({ channelId, reason, code: EndCode.END_CODE_POLICY });
}
