import { type Refusal, refuse } from "../protocol/refusals.js";
import type { SentMessage } from "../protocol/sent-message.js";
import { ChatMessage, ChatRequest } from "../protocol/wire.js";
import { checkDestination, findDestination } from "./address.js";
import { type Answer, receiptFor, refused, repeatedReceipt } from "./answer.js";
import type { Channel } from "./channel.js";
import type { Context } from "./context.js";
import { decideMessage } from "./decide.js";
import type { StoredEntry } from "./entry.js";
import { isFull, requestChat } from "./request.js";
import type { ServiceRecord } from "./store.js";
import { write } from "./write.js";

/** An agent says something in a chat (A1 to A3, M2, C6). */
export async function sendMessage(
  context: Context,
  agentId: string,
  message: SentMessage,
): Promise<Answer> {
  if (message.messageId !== "") {
    // Before addressing and before the state check: a resend into a chat that
    // has ended meanwhile still gets its first receipt (M2).
    const first = await context.tx.entryByKey(agentId, "chatMessage", message.messageId);
    if (first !== undefined) {
      return isSameMessage(first, message)
        ? repeatedReceipt(first)
        : refused(
            refuse(
              "MESSAGE_ID_REUSED",
              "chat_message.message_id named another message before; use a new one",
            ),
          );
    }
  }
  const { channelId } = message;
  const destination =
    channelId === ""
      ? await findDestination(context, agentId, message)
      : checkDestination(context, agentId, message, await context.tx.channel(channelId));
  if ("refusal" in destination) return refused(destination.refusal);
  let channel: Channel;
  if ("askFirst" in destination) {
    const asked = await askAutoService(context, agentId, destination.askFirst);
    if ("refusal" in asked) return refused(asked.refusal);
    channel = asked.channel;
  } else channel = destination.channel;
  const decision = decideMessage(channel, agentId);
  if ("refusal" in decision) return refused(decision.refusal);
  await write(context, channel, {
    author: agentId,
    frame: { $case: "chatMessage", value: message },
    key: message.messageId || context.env.newId("msg"),
    addressedByChannel: channelId !== "",
  });
  return receiptFor(context.written.at(-1));
}

/** Request and automatic accept; the message follows: all of them, or none (A2). */
async function askAutoService(
  context: Context,
  agentId: string,
  service: ServiceRecord,
): Promise<{ channel: Channel } | { refusal: Refusal }> {
  if (await isFull(context, service)) {
    return {
      refusal: refuse("BUSY", "the service has as many active chats as it takes; try again"),
    };
  }
  const { serviceId } = service;
  const requested = await requestChat(context, agentId, ChatRequest.fromPartial({ serviceId }));
  if (requested.kind === "refusal") return requested;
  const active = context.written.at(-1)?.channel;
  if (active === undefined) throw new Error("an accepted request wrote nothing");
  return { channel: active };
}

/** "The same" leaves metadata out: a retry may carry a new trace (M2). */
function isSameMessage(first: StoredEntry, message: SentMessage): boolean {
  const stored = ChatMessage.decode(first.body);
  const { content, data } = ChatMessage.decode(message.bytes);
  return (
    stored.content === content &&
    stored.contentType === message.contentType &&
    stored.replyTo === message.replyTo &&
    stored.targetAgent === message.targetAgent &&
    stored.serviceId === message.serviceId &&
    first.addressedByChannel === (message.channelId !== "") &&
    (message.channelId === "" || message.channelId === stored.channelId) &&
    Buffer.compare(stored.data, data) === 0
  );
}
