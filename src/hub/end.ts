import type { ChatEnd } from "../protocol/wire.js";
import { type Answer, receiptFor, refused, repeatedReceipt } from "./answer.js";
import { channelNotFound } from "./common-refusals.js";
import type { Context } from "./context.js";
import { decideEnd } from "./decide.js";
import { write } from "./write.js";

/** Either side ends a chat, or the consumer takes its request back (C4, C6). */
export async function endChat(context: Context, agentId: string, frame: ChatEnd): Promise<Answer> {
  const channel = await context.tx.channel(frame.channelId);
  if (channel === undefined) return refused(channelNotFound(frame.channelId));
  const decision = decideEnd(channel, agentId);
  if ("refusal" in decision) return refused(decision.refusal);
  if ("repeat" in decision) {
    return repeatedReceipt(await context.tx.entry(channel.channelId, decision.repeat));
  }
  await write(context, channel, { author: agentId, frame: { $case: "chatEnd", value: frame } });
  return receiptFor(context.written.at(-1));
}
